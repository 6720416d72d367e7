use super::*;

/// A folder with three names a language.
fn small_set(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for (language, name) in LANGUAGES.iter().enumerate() {
        let letter = char::from(b'a' + language as u8);
        let text = format!("{letter}ab\n\n{letter}é{letter} \r\n{letter}o'B\n");
        std::fs::write(folder.join(format!("{name}.txt")), text).unwrap();
    }
}

fn read(folder: &Path, test: usize) -> Result<Split<LabeledSequences>> {
    load(&Places::offline(Some(folder), true), test, 1)
}

fn texts(set: &LabeledSequences) -> Vec<String> {
    let letter = |id: &u32| char::from(NAME_ALPHABET.as_bytes()[*id as usize]);
    let names = set.sequences.iter();
    names.map(|ids| ids.iter().map(letter).collect()).collect()
}

#[test]
fn symbols_have_the_books_numbers() {
    assert_eq!(NAME_ALPHABET.len(), 57);
    assert_eq!(spell("az .,;'").ids, [0, 25, 52, 53, 54, 55, 56]);
    assert_eq!(spell("Frank").ids, [5, 17, 0, 13, 10]);
    assert!(LANGUAGES.is_sorted());
}

#[test]
fn accents_fold_and_what_has_no_base_letter_is_left_out() {
    let spelled = |name: &str| (spell(name).text, String::from_iter(spell(name).left_out));
    let pair = |text: &str, left_out: &str| (text.to_string(), left_out.to_string());
    assert_eq!(spelled("Müller"), pair("muller", ""));
    // The same name with a combining mark of its own.
    assert_eq!(spelled("Mu\u{308}ller"), pair("muller", ""));
    assert_eq!(spelled("Ślusàrski"), pair("slusarski", ""));
    assert_eq!(spelled("Nguyễn"), pair("nguyen", ""));
    assert_eq!(spelled("O'Néàl"), pair("o'neal", ""));
    assert_eq!(spelled("Błok-Groß"), pair("bokgro", "ł-ß"));
    assert_eq!(spelled("İ"), pair("i", ""));
    assert_eq!(spelled("王"), pair("", "王"));
    assert_eq!(spelled(""), pair("", ""));
    // Text and numbers say the same.
    let long = "Złoty ; Ödön.";
    let letters = spell(long).ids;
    assert_eq!(letters.len(), spell(long).text.len());
}

#[test]
fn a_folder_of_names_is_read_shuffled_and_split() {
    let folder = tempfile::tempdir().unwrap();
    for inner in ["names", "data/names", ""] {
        let folder = folder.path().join(format!("as-{}", inner.len()));
        small_set(&folder.join(inner));
        let split = read(&folder, 10).unwrap();
        assert!(split.source.real);
        assert_eq!((split.source.train, split.source.test), (44, 10));
        let mut all = [texts(&split.train), texts(&split.test)].concat();
        let labels = [&split.train.labels[..], &split.test.labels].concat();
        for (name, label) in all.iter().zip(&labels) {
            assert_eq!(name.as_bytes()[0], b'a' + label);
        }
        all.sort_unstable();
        assert_eq!(all[..3], ["aab", "aea ", "ao'b"]);
        assert_eq!(split.train.class_names[17], "Vietnamese");

        let again = read(&folder, 10).unwrap();
        assert_eq!(texts(&again.test), texts(&split.test));
        let other = load(&Places::offline(Some(&folder), true), 10, 2).unwrap();
        assert_ne!(texts(&other.test), texts(&split.test));
        // A test set of more names than there are leaves half for training.
        assert_eq!(read(&folder, 1_000).unwrap().train.len(), 27);
    }
}

#[test]
fn damaged_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("names");
    let file = inner.join("Greek.txt");
    let damaged = |bytes: &[u8], why: &str| {
        small_set(&inner);
        std::fs::write(&file, bytes).unwrap();
        let error = read(folder.path(), 5).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let said = error.to_string();
        assert!(said.starts_with(&file.display().to_string()), "{said}");
        assert!(said.contains(why), "{said}");
    };
    damaged(b"", "has no name");
    damaged("\n \n王\n".as_bytes(), "has no name");
    damaged(b"one\ntwo\xff\n", "line 2 is not UTF-8");
    damaged(b"one\n\xc3", "line 2 is not UTF-8");
    damaged("a".repeat(101).as_bytes(), "line 1 has 101 letters");
    damaged(&vec![b'a'; 2 << 20], "larger than 1 MB");
    damaged(&[0; 4000], "has no name");
    // What the alphabet lacks does not count.
    small_set(&inner);
    std::fs::write(&file, format!("abc{}\n", "\u{1}".repeat(500))).unwrap();
    assert_eq!(read(folder.path(), 5).unwrap().source.train, 47);

    std::fs::remove_file(&file).unwrap();
    let said = read(folder.path(), 5).unwrap_err().to_string();
    assert!(
        said.contains("only a part of surnames of 18 languages; add Greek.txt"),
        "{said}"
    );
}

#[test]
fn invented_names_stand_in_and_real_data_only_refuses_them() {
    let split = load(&Places::offline(None, false), 300, 1).unwrap();
    assert!(!split.source.real && split.source.origin.contains("invented"));
    assert_eq!((split.source.train, split.source.test), (19_750, 300));
    let error = load(&Places::offline(None, true), 300, 1)
        .unwrap_err()
        .to_string();
    for wanted in [
        "FOLDER/names",
        "--data-dir",
        "practical-pytorch",
        "Vietnamese.txt (339 bytes)",
    ] {
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn files_are_those_of_the_languages() {
    assert_eq!(NAMES.files.len(), LANGUAGES.len());
    for (file, language) in NAMES.files.iter().zip(LANGUAGES) {
        assert_eq!(file.name, format!("{language}.txt"));
        assert_eq!(file.sha256.len(), 64);
    }
}
