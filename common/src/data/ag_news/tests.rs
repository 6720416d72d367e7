use super::*;
use crate::data::basic_english;

const ROWS: &str = "\"3\",\"Oil up\",\"Said \"\"now\"\"\\\nthe second.\"\n\"1\",\"A, b\",\"\"\r\n\"4\",\"One field\"\n";

#[test]
fn title_and_description_are_one_text_and_classes_count_from_0() {
    let folder = tempfile::tempdir().unwrap();
    for (at, inner) in ["ag_news_csv", ""].into_iter().enumerate() {
        for train in ["train.csv", "train_subset.csv"] {
            let top = folder.path().join(format!("{at}-{train}"));
            let inner = top.join(inner);
            std::fs::create_dir_all(&inner).unwrap();
            std::fs::write(inner.join(train), ROWS).unwrap();
            std::fs::write(inner.join("test.csv"), "\"2\",\"x\",\"y\"\n").unwrap();
            let news = load(&Places::offline(Some(&top), false)).unwrap();
            assert_eq!(news.train.labels, [2, 0, 3]);
            assert_eq!(
                news.train.texts,
                ["Oil up Said \"now\"\\\nthe second.", "A, b ", "One field"]
            );
            assert_eq!(news.test.texts, ["x y"]);
            assert_eq!(news.train.take(1).labels, [2]);
            let source = &news.source;
            assert!(
                source.real && (source.train, source.test) == (3, 1),
                "{source:?}"
            );
        }
    }
}

#[test]
fn the_whole_file_comes_before_a_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["train.csv", "test.csv"] {
        std::fs::write(folder.path().join(name), ROWS).unwrap();
    }
    let part = folder.path().join("train_subset.csv");
    std::fs::write(&part, "\"2\",\"x\",\"y\"\n").unwrap();
    assert_eq!(
        load(&Places::offline(Some(folder.path()), false))
            .unwrap()
            .train
            .len(),
        3
    );
    std::fs::remove_file(folder.path().join("train.csv")).unwrap();
    assert_eq!(
        load(&Places::offline(Some(folder.path()), false))
            .unwrap()
            .train
            .len(),
        1
    );
    // Files of these names that are something else are not taken.
    std::fs::write(&part, "id,name\n").unwrap();
    assert!(
        !load(&Places::offline(Some(folder.path()), false))
            .unwrap()
            .source
            .real
    );
}

#[test]
fn damaged_files_are_named_with_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("ag_news_csv");
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(inner.join("test.csv"), ROWS).unwrap();
    let long = format!("\"1\",\"{}\n", "no end ".repeat(2000));
    for (content, why) in [
        (
            &b"\"1\",\"a\"\n\"5\",\"b\"\n"[..],
            "line 2 does not begin with a class",
        ),
        (b"\"12\",\"a\"\n", "line 1 does not begin"),
        (b"\"1\",\"a\"\n\"1\",\"\xff\"\n", "line 2 is not UTF-8"),
        (b"\"1\",\"\",\" \"\n", "line 1 has no text"),
        (b"\"1\"\n", "line 1 has no text"),
        (b"", "has no text"),
        (long.as_bytes(), "line 1 is longer than any news"),
    ] {
        std::fs::write(inner.join("train.csv"), content).unwrap();
        let said = load(&Places::offline(Some(folder.path()), false))
            .unwrap_err()
            .to_string();
        assert!(said.contains("train.csv") && said.contains(why), "{said}");
    }
    std::fs::remove_file(inner.join("train.csv")).unwrap();
    let said = load(&Places::offline(Some(folder.path()), false))
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("only a part of AG News; add train.csv"),
        "{said}"
    );
}

#[test]
fn a_stand_in_says_so_and_real_data_only_refuses_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut places = Places::offline(Some(folder.path()), false);
    let news = load(&places).unwrap();
    assert!(!news.source.real && news.source.origin.contains("invented"));
    let (words, vocabulary) = ag_news_words(&news).unwrap();
    assert_eq!(words.train.len(), news.train.len());
    assert_eq!(words.test.padding, PAD);
    assert!(vocabulary.len() > 100, "{}", vocabulary.len());
    places.require_real = true;
    let error = load(&places).unwrap_err().to_string();
    for wanted in ["train.csv (29470338 bytes)", "FOLDER/ag_news_csv"] {
        assert!(error.contains(wanted), "{error}");
    }
}

/// The first training text and its numbers, as the book has them; checked where the whole training file is.
#[test]
fn the_books_first_text_has_the_books_numbers() {
    let options = DataOptions {
        offline: true,
        quiet: true,
        ..DataOptions::default()
    };
    let Ok(news) = ag_news(&options) else { return };
    if news.source.real {
        assert_eq!(news.test.len(), 7600);
        assert!(news.test.texts[0].starts_with("Fears for T N pension after talks Unions"));
        let mut counts = [0; 4];
        news.test
            .labels
            .iter()
            .for_each(|&label| counts[usize::from(label)] += 1);
        assert_eq!(counts, [1900; 4]);
    }
    if !news.source.real || news.train.len() != 120_000 {
        return;
    }
    let (words, vocabulary) = ag_news_words(&news).unwrap();
    assert_eq!(vocabulary.len(), 20_647);
    assert_eq!(
        words.train.sequences.get(0),
        [
            1, 434, 428, 4, 1608, 14841, 116, 69, 5, 851, 16, 30, 17, 30, 18, 0, 6, 434, 377, 19,
            12, 0, 9, 0, 6, 45, 4012, 786, 328, 4, 2
        ]
    );
    assert_eq!(basic_english(&news.train.texts[0])[0], "wall");
}
