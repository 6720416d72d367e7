//! The data set and its split.

use burn::data::dataset::Dataset;
use ch01_tensors::flat_mnist::{FlatMnist, random_split};
use common::data::{DataOptions, Images, mnist};

/// `n` pictures of 2x3 pixels; picture i has the bytes i, i + 1, ...
fn pictures(n: u8) -> FlatMnist {
    let pixels: Vec<u8> = (0..n)
        .flat_map(|i| (0..6).map(move |p| i.wrapping_add(p)))
        .collect();
    let names = (0..10).map(|digit| digit.to_string()).collect();
    let labels = (0..n).map(|i| i % 10).collect();
    FlatMnist::new(Images::new([1, 2, 3], pixels, labels, names).unwrap())
}

#[test]
fn an_item_is_a_row_of_grey_levels_and_a_label() {
    let data = pictures(13);
    assert_eq!(
        (data.len(), data.features(), data.picture_size()),
        (13, 6, [2, 3])
    );
    let (row, label) = data.get(12).unwrap();
    assert_eq!(label, 2);
    let want = [12.0, 13.0, 14.0, 15.0, 16.0, 17.0].map(|byte: f32| byte / 255.0);
    assert_eq!(row, want);
}

#[test]
fn iterating_visits_every_item_in_order() {
    let labels = pictures(23)
        .iter()
        .map(|item| item.unwrap().1)
        .collect::<Vec<_>>();
    assert_eq!(labels, (0..23).map(|i| i % 10).collect::<Vec<u8>>());
}

#[test]
#[should_panic(expected = "there is no digit 13: the 13 digits are numbered from 0")]
fn an_item_out_of_range_panics_as_burns_trait_demands() {
    let _ = pictures(13).get(13);
}

#[test]
fn a_split_is_a_partition_of_the_sizes_asked_for() {
    for (fraction, sizes) in [
        (0.8, (80, 20)),
        (0.0, (0, 100)),
        (1.0, (100, 0)),
        (0.333, (33, 67)),
    ] {
        let (first, second) = random_split(pictures(100), fraction, 42);
        assert_eq!((first.len(), second.len()), sizes);
        let mut all = [first.indices, second.indices].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    }
}

#[test]
fn a_fraction_that_is_none_counts_as_the_nearer_end() {
    for (fraction, train) in [(-3.0, 0), (7.5, 10)] {
        assert_eq!(random_split(pictures(10), fraction, 1).0.len(), train);
    }
}

#[test]
fn items_of_a_part_are_those_of_the_whole() {
    let whole = pictures(50);
    let (train, test) = random_split(whole.clone(), 0.8, 7);
    for part in [train, test] {
        for (i, &index) in part.indices.iter().enumerate() {
            assert_eq!(part.get(i).unwrap(), whole.get(index).unwrap());
        }
    }
}

#[test]
fn the_seed_decides_the_split() {
    let indices = |seed| random_split(pictures(100), 0.8, seed).0.indices;
    assert_eq!(indices(42), indices(42));
    assert_ne!(indices(42), indices(43));
    // A split in the order of the data would not be random.
    assert_ne!(indices(42), (0..80).collect::<Vec<_>>());
}

#[test]
fn built_in_digits_are_784_numbers_each() {
    let options = DataOptions {
        offline: true,
        quiet: true,
        ..DataOptions::default()
    };
    let digits = mnist(&options).unwrap();
    let data = FlatMnist::new(digits.test.take(3));
    assert_eq!(data.features(), 784);
    for item in data.iter() {
        let (row, label) = item.unwrap();
        assert!(row.len() == 784 && label < 10);
        assert!(row.iter().all(|level| (0.0..=1.0).contains(level)));
        assert!(row.iter().any(|level| *level > 0.5));
    }
}
