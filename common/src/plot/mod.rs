#![allow(missing_docs)]
pub struct Figure; impl Figure { pub fn save(&self, _:&std::path::Path, _:&str)->crate::Result<()>{Ok(())} pub fn alt(&self)->String{String::new()} pub fn title(&self)->&str{""} pub fn csv(&self)->String{String::new()} }
pub struct Chart; pub trait Num {} impl Num for f32{} impl Num for f64{}
impl Chart { pub fn series<A:Num,B:Num>(self,_:&str,_:&[A],_:&[B])->Self{self} pub fn points<A:Num,B:Num>(self,_:&str,_:&[A],_:&[B])->Self{self} pub fn line<A:Num,B:Num>(self,_:&str,_:&[A],_:&[B])->Self{self} pub fn build(self)->Figure{Figure} }
pub fn lines(_:&str,_:&str,_:&str)->Chart{Chart} pub fn scatter(_:&str,_:&str,_:&str)->Chart{Chart}
pub fn decision_surface(_:&str,_:&[f32],_:&[f32],_:&[f32],_:&crate::data::Points)->Figure{Figure}
