#![allow(missing_docs)]
use crate::Result;
use serde::*;
use std::path::*;
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    pub id: String,
    pub title: String,
    pub chapter: String,
    pub preset: String,
    pub device: String,
    pub seed: u64,
    pub commit: Option<String>,
    pub started: String,
    pub wall_seconds: f64,
    pub config: serde_json::Value,
    pub data: Vec<crate::data::Source>,
    pub models: Vec<ModelSummary>,
    pub metrics: Vec<Metric>,
    pub claims: Vec<Claim>,
    pub figures: Vec<FigureEntry>,
    pub tables: Vec<Table>,
    pub text: Vec<String>,
    pub complete: bool,
}
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelSummary {
    pub name: String,
    pub parameters: usize,
}
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Metric {
    pub name: String,
    pub value: f64,
    pub book: Option<f64>,
    pub note: Option<String>,
}
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claim {
    pub text: String,
    pub held: bool,
    pub detail: String,
}
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FigureEntry {
    pub name: String,
    pub title: String,
    pub caption: String,
    pub png: String,
    pub csv: String,
    pub alt: String,
}
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}
pub fn write_report(d:&Path,_:&Summary)->Result<PathBuf>{Ok(d.into())} pub fn write_gallery(d:&Path)->Result<PathBuf>{Ok(d.into())} pub fn rebuild(d:&Path)->Result<(usize,PathBuf)>{Ok((0,d.into()))}
