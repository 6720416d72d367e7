//! What is wrong with a mask besides its edges: holes in objects, and objects that are not there.

/// Mistakes of a predicted mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mistakes {
    /// Closed patches of background in a predicted object, where most pixels should be object.
    pub holes: usize,
    /// Predicted objects that touch no true one.
    pub phantoms: usize,
}

/// Counts the holes and phantom objects of a mask.
///
/// `predicted` and `actual` are [rows, width], 1 where an object is.
pub fn mistakes(predicted: &[u8], actual: &[u8], width: usize) -> Mistakes {
    let mut found = Mistakes::default();
    for patch in patches(predicted, width) {
        let object = predicted.get(patch.first) == Some(&1);
        let inside = patch.pixels.iter();
        let wanted = inside.filter(|&&at| actual.get(at) == Some(&1)).count();
        if object && wanted == 0 {
            found.phantoms += 1;
        }
        if !object && !patch.at_border && 2 * wanted > patch.pixels.len() {
            found.holes += 1;
        }
    }
    found
}

/// How many objects a mask [rows, width] has: patches of ones that do not touch each other.
pub fn objects(mask: &[u8], width: usize) -> usize {
    let patches = patches(mask, width).into_iter();
    patches.filter(|p| mask.get(p.first) == Some(&1)).count()
}

/// Pixels of one value that hang together (up, down, left, right).
struct Patch {
    first: usize,
    pixels: Vec<usize>,
    at_border: bool,
}

fn patches(mask: &[u8], width: usize) -> Vec<Patch> {
    let width = width.max(1);
    let rows = mask.len() / width;
    let mut seen = vec![false; rows * width];
    let mut all = Vec::new();
    for first in 0..rows * width {
        if seen[first] {
            continue;
        }
        seen[first] = true;
        let mut patch = Patch {
            first,
            pixels: vec![first],
            at_border: false,
        };
        let mut next = 0;
        while let Some(&at) = patch.pixels.get(next) {
            next += 1;
            let (row, column) = (at / width, at % width);
            patch.at_border |= row == 0 || row + 1 == rows || column == 0 || column + 1 == width;
            let beside = [
                (row > 0).then(|| at - width),
                (row + 1 < rows).then(|| at + width),
                (column > 0).then(|| at - 1),
                (column + 1 < width).then(|| at + 1),
            ];
            for to in beside.into_iter().flatten() {
                if !seen[to] && mask[to] == mask[first] {
                    seen[to] = true;
                    patch.pixels.push(to);
                }
            }
        }
        all.push(patch);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_and_phantoms_are_counted_and_edges_are_not() {
        #[rustfmt::skip]
        let predicted = [
            1, 1, 1, 0, 0, 0, 0,
            1, 0, 1, 0, 0, 1, 0,
            1, 1, 1, 0, 0, 0, 0,
            0, 1, 1, 0, 0, 0, 1,
        ];
        #[rustfmt::skip]
        let actual = [
            1, 1, 1, 1, 0, 0, 0,
            1, 1, 1, 1, 0, 0, 0,
            1, 1, 1, 1, 0, 0, 0,
            1, 1, 1, 1, 0, 0, 0,
        ];
        let found = mistakes(&predicted, &actual, 7);
        assert_eq!(
            found,
            Mistakes {
                holes: 1,
                phantoms: 2
            }
        );
        assert_eq!((objects(&predicted, 7), objects(&actual, 7)), (3, 1));
        assert_eq!(mistakes(&actual, &actual, 7), Mistakes::default());
        assert_eq!(mistakes(&[], &[], 0), Mistakes::default());
    }

    #[test]
    fn a_true_hole_is_no_mistake() {
        let ring = [1, 1, 1, 1, 0, 1, 1, 1, 1];
        assert_eq!(mistakes(&ring, &ring, 3), Mistakes::default());
        assert_eq!(mistakes(&ring, &[1; 9], 3).holes, 1);
    }
}
