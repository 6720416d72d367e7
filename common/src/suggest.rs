//! "Did you mean": the valid names, nearest to what was typed first.

/// `names`, nearest to `typed` first (Jaro-Winkler similarity), joined with commas.
pub fn nearest_first<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    let likeness = |name: &str| strsim::jaro_winkler(typed, name);
    names.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    names.join(", ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_nearest_name_comes_first() {
        assert_eq!(
            super::nearest_first("bok", ["smoke", "quick", "book"]),
            "book, smoke, quick"
        );
    }
}
