//! The order in which folders are looked at, and what is said when nothing is found.

use super::*;
use tempfile::TempDir;

const FILES: &[PublishedFile] = &[
    PublishedFile {
        name: "one.gz",
        bytes: 11,
        sha256: "",
    },
    PublishedFile {
        name: "two.gz",
        bytes: 22,
        sha256: "",
    },
];

fn bundle() -> Bundle {
    Bundle {
        name: "Test set",
        folders: &["test-set", "TestSet/raw", ""],
        accepts_bare: |folder| !folder.join("not-mine").exists(),
        package: None,
        mirrors: &["https://mirror.invalid/set/"],
        files: FILES,
    }
}

/// Nothing but these places; no network.
fn places(named: &[&Path], cache: Option<&Path>) -> Places {
    Places {
        named: named
            .iter()
            .map(|folder| ("--data-dir", folder.to_path_buf()))
            .collect(),
        cache: cache.map(Path::to_path_buf),
        network: None,
        require_real: false,
        quiet: true,
    }
}

/// A folder with these (empty) files.
fn folder_with(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"").unwrap();
    }
    folder
}

fn found(places: &Places, bundle: &Bundle) -> (PathBuf, String) {
    match places.find(bundle).unwrap() {
        Found::Folder { path, origin } => (path, origin),
        Found::Nothing { reason } => panic!("nothing found: {reason}"),
    }
}

fn reason(places: &Places) -> String {
    match places.find(&bundle()).unwrap() {
        Found::Folder { path, .. } => panic!("found in {}", path.display()),
        Found::Nothing { reason } => reason,
    }
}

#[test]
fn folders_are_tried_in_order() {
    let whole = ["test-set/one.gz", "test-set/two.gz"];
    let [a, b, cache] = [whole, whole, whole].map(|files| folder_with(&files));
    let (empty, package) = (folder_with(&[]), folder_with(&["one.gz", "two.gz"]));
    let install = "apt install test-set";
    let folder = package.path().display().to_string().leak();
    let set = Bundle {
        package: Some(Package { install, folder }),
        ..bundle()
    };
    let first = |named: &[&Path], cache| found(&places(named, cache), &set);

    let (path, origin) = first(&[a.path(), b.path()], Some(cache.path()));
    assert_eq!(path, a.path().join("test-set"));
    assert!(origin.starts_with("folder "), "{origin}");
    let (path, _) = first(&[empty.path(), b.path()], Some(cache.path()));
    assert_eq!(path, b.path().join("test-set"));
    let (path, origin) = first(&[empty.path()], Some(cache.path()));
    assert_eq!(path, cache.path().join("test-set"));
    assert!(origin.starts_with("cache "), "{origin}");
    let (path, origin) = first(&[empty.path()], Some(empty.path()));
    assert_eq!(path, package.path());
    assert!(origin.starts_with("system package, "), "{origin}");
}

#[test]
fn a_set_may_be_in_any_of_its_folders_and_unpacked() {
    for files in [
        ["test-set/one", "test-set/two.gz"],
        ["TestSet/raw/one.gz", "TestSet/raw/two"],
        ["one", "two"],
    ] {
        let folder = folder_with(&files);
        let (path, _) = found(&places(&[folder.path()], None), &bundle());
        assert_eq!(path, folder.path().join(files[0]).parent().unwrap());
    }
    // The names of the files are right, but they are another set's.
    let folder = folder_with(&["one.gz", "two.gz", "not-mine"]);
    assert!(reason(&places(&[folder.path()], None)).contains("not on this machine"));
}

#[test]
fn a_named_folder_that_is_missing_or_has_a_part_is_an_error() {
    let nowhere = Path::new("/no/such/folder");
    let error = places(&[nowhere], None).find(&bundle()).unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.exit_code()),
        ("--data-dir /no/such/folder: there is no such folder", 2)
    );
    let part = folder_with(&["test-set/one.gz"]);
    let error = places(&[part.path()], None).find(&bundle()).unwrap_err();
    let wanted = "has only a part of Test set; add two.gz (unpacked will do)";
    assert!(error.to_string().contains(wanted), "{error}");
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn half_a_cache_is_no_error_but_nothing_found() {
    let cache = folder_with(&["test-set/one.gz"]);
    let reason = reason(&places(&[], Some(cache.path())));
    assert_eq!(
        reason,
        "not on this machine, and --offline forbids to download it"
    );
}

#[test]
fn what_is_nowhere_is_downloaded_or_it_is_said_why_not() {
    // Nobody listens at the first of all ports.
    let set = Bundle {
        mirrors: &["http://127.0.0.1:1/"],
        ..bundle()
    };
    let home = tempfile::tempdir().unwrap();
    let mut places = places(&[], Some(home.path()));
    places.network = Some(Network {
        public: false,
        ..Network::default()
    });
    let Found::Nothing { reason } = places.find(&set).unwrap() else {
        panic!("found without a server");
    };
    let wanted = "not on this machine, and the download failed: none of 1 mirrors can be reached";
    assert_eq!(reason, wanted);
    places.cache = None;
    let Found::Nothing { reason } = places.find(&set).unwrap() else {
        panic!("found without a server");
    };
    assert!(reason.contains("no home folder"), "{reason}");
}

#[test]
fn only_real_data_is_refused_with_what_to_put_where() {
    let mut places = places(&[], Some(Path::new("/home/me/.cache/idl")));
    let set = bundle();
    places
        .stand_in(&set, "not on this machine", "a drawing")
        .unwrap();
    places.require_real = true;
    let error = places
        .stand_in(&set, "not on this machine", "a drawing")
        .unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert_eq!(
        error.to_string(),
        "Test set is not on this machine.\n\
         Put these files into /home/me/.cache/idl/test-set, or into FOLDER/test-set and give \
         --data-dir FOLDER (or set IDL_DATA=FOLDER):\n  \
         https://mirror.invalid/set/one.gz (11 bytes)\n  \
         https://mirror.invalid/set/two.gz (22 bytes)"
    );
    let set = Bundle {
        package: Some(Package {
            install: "apt install test-set (Debian)",
            folder: "/nowhere",
        }),
        ..set
    };
    let error = places
        .stand_in(&set, "not here", "a drawing")
        .unwrap_err()
        .to_string();
    assert!(error.contains("apt install test-set (Debian)"), "{error}");
}

#[test]
fn a_damaged_file_of_the_cache_can_be_deleted_the_users_own_not() {
    let places = places(&[], Some(Path::new("/cache")));
    let error = || Error::Data("damaged".into());
    let cached = places
        .explain(error(), Path::new("/cache/test-set"))
        .to_string();
    assert_eq!(
        cached,
        "damaged\nDelete the file, and the next run downloads it again."
    );
    let own = places
        .explain(error(), Path::new("/data/test-set"))
        .to_string();
    assert_eq!(own, "damaged");
}

#[test]
fn options_name_the_places() {
    let folder = tempfile::tempdir().unwrap();
    let options = DataOptions {
        data_dir: Some(folder.path().into()),
        offline: true,
        require_real: true,
        quiet: true,
    };
    let places = Places::new(&options);
    assert_eq!(places.named[0], ("--data-dir", folder.path().to_path_buf()));
    assert!(places.network.is_none() && places.require_real);
    let online = Places::new(&DataOptions::default());
    assert!(online.network.is_some_and(|network| network.public) && !online.require_real);
}
