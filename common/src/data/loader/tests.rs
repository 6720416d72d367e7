//! Orders of examples, slices, last batches.

use super::*;
use proptest::prelude::*;

/// A set whose batches are the numbers of their examples.
struct Numbers(usize);

impl Batches for Numbers {
    type Batch = Vec<usize>;

    fn len(&self) -> usize {
        self.0
    }

    fn batch(&self, indices: &[usize], _epoch_seed: u64, _device: &Device) -> Vec<usize> {
        indices.to_vec()
    }
}

fn loader(n: usize, shuffle: Option<u64>) -> Loader<Numbers> {
    Loader::new(Arc::new(Numbers(n)), 5, shuffle, &Device::flex())
}

fn pass(loader: &dyn DataLoader<Vec<usize>>) -> Vec<Vec<usize>> {
    loader.iter().map(|batch| batch.unwrap()).collect()
}

#[test]
fn every_example_comes_once_and_the_last_batch_is_kept() {
    let batches = pass(&loader(27, Some(1)));
    let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
    assert_eq!(sizes, [5, 5, 5, 5, 5, 2]);
    let mut all = batches.concat();
    assert_ne!(all, (0..27).collect::<Vec<_>>());
    all.sort_unstable();
    assert_eq!(all, (0..27).collect::<Vec<_>>());
}

#[test]
fn the_order_depends_on_the_seed_and_the_epoch_alone() {
    let (a, b) = (loader(50, Some(3)), loader(50, Some(3)));
    let first = pass(&a);
    assert_eq!(first, pass(&a));
    a.epoch_handle().store(7, Ordering::SeqCst);
    b.epoch_handle().store(7, Ordering::SeqCst);
    let seventh = pass(&a);
    assert_ne!(first, seventh);
    assert_eq!(seventh, pass(&b));
    assert_ne!(first, pass(&loader(50, Some(4))));
}

#[test]
fn without_a_seed_the_order_is_the_sets_own() {
    assert_eq!(
        pass(&loader(12, None)).concat(),
        (0..12).collect::<Vec<_>>()
    );
}

#[test]
fn the_last_batch_can_be_dropped() {
    let loader = loader(27, Some(1)).drop_last(true);
    assert_eq!(pass(&loader).concat().len(), 25);
    assert_eq!(loader.num_items(), 25);
}

#[test]
fn slices_part_the_set_and_share_the_epoch() {
    let whole = loader(27, Some(1));
    let (a, b) = (whole.slice(0, 13), whole.slice(13, 99));
    assert_eq!((a.num_items(), b.num_items()), (13, 14));
    let before = pass(a.as_ref());
    let mut all = [pass(a.as_ref()).concat(), pass(b.as_ref()).concat()].concat();
    all.sort_unstable();
    assert_eq!(all, (0..27).collect::<Vec<_>>());
    whole.epoch_handle().store(1, Ordering::SeqCst);
    assert_ne!(before, pass(a.to_device(&Device::flex()).as_ref()));
    assert_eq!(whole.slice(9, 3).num_items(), 0);
}

#[test]
fn progress_counts_examples() {
    let loader = loader(7, None);
    let mut batches = loader.iter();
    batches.next();
    assert_eq!(batches.progress().items_processed, 5);
    batches.next();
    assert!(batches.next().is_none());
    assert_eq!(batches.progress().items_processed, 7);
    assert_eq!(batches.progress().items_total, 7);
}

#[test]
fn batches_of_one_and_batches_larger_than_the_set() {
    let set = || Arc::new(Numbers(7));
    let ones = pass(&Loader::new(set(), 1, Some(1), &Device::flex()));
    assert_eq!(ones.iter().map(Vec::len).collect::<Vec<_>>(), [1; 7]);
    let large = pass(&Loader::new(set(), 100, Some(1), &Device::flex()));
    assert_eq!(
        large,
        [ones.concat()],
        "the order does not depend on the batch size"
    );
    assert_eq!(pass(&Loader::new(set(), 0, None, &Device::flex())).len(), 7);
    let dropped = Loader::new(set(), 100, None, &Device::flex()).drop_last(true);
    assert!(pass(&dropped).is_empty());
    assert!(pass(&loader(0, Some(1))).is_empty());
}

proptest! {
    #[test]
    fn every_epoch_has_every_example_once_in_an_order_of_its_own(
        n in 20_usize..80, batch_size in 1_usize..100, seed: u64, epoch in 0_usize..1000,
    ) {
        let loader = Loader::new(Arc::new(Numbers(n)), batch_size, Some(seed), &Device::flex());
        let at = |epoch| {
            loader.epoch_handle().store(epoch, Ordering::SeqCst);
            pass(&loader)
        };
        let (batches, next) = (at(epoch), at(epoch + 1));
        prop_assert_eq!(batches.len(), n.div_ceil(batch_size));
        prop_assert_eq!(&batches, &at(epoch));
        // 20! orders: the same twice is a fault.
        prop_assert_ne!(batches.concat(), next.concat());
        for batches in [batches, next] {
            let mut all = batches.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..n).collect::<Vec<_>>());
        }
    }
}
