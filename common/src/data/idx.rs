//! The idx format of MNIST and Fashion-MNIST: two zero bytes, the type of the elements, the number of dimensions, each
//! dimension as a big-endian u32, then the elements, row-major.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::{Error, Result};

/// The only element type read here: unsigned bytes.
const UNSIGNED_BYTE: u8 = 0x08;

/// More elements than any set of this kind has. Keeps a damaged header or a gzip bomb from filling the memory.
const MAX_ELEMENTS: usize = 1 << 29;

/// An array of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// The length of each dimension, as [60000, 28, 28].
    pub shape: Vec<usize>,
    /// The elements, as many as the product of `shape`.
    pub values: Vec<u8>,
}

/// Reads an idx file, gzipped or not (its first bytes tell, not its name).
///
/// # Errors
/// [`Error::Io`] for a file that can't be opened, [`Error::Data`] for one that is damaged or of another kind: too short, too
/// long, not of bytes. The message names the file and the offset.
pub fn read(path: &Path) -> Result<Idx> {
    let file = File::open(path).map_err(Error::io(path))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let start = reader.fill_buf().map_err(Error::io(path))?;
    if start.starts_with(&[0x1f, 0x8b]) {
        parse(MultiGzDecoder::new(reader), path)
    } else {
        parse(reader, path)
    }
}

/// Reads idx from `reader`; `path` is for error messages.
///
/// # Errors
/// As [`read`]; offsets count uncompressed bytes.
pub fn parse(mut reader: impl Read, path: &Path) -> Result<Idx> {
    let broken = |offset: usize, what: String| {
        let path = path.display();
        Error::Data(format!(
            "{path}: damaged idx file, at byte {offset}: {what}"
        ))
    };
    let mut field = |offset: usize| -> Result<[u8; 4]> {
        let mut bytes = [0; 4];
        reader
            .read_exact(&mut bytes)
            .map_err(|error| broken(offset, format!("the header is cut off ({error})")))?;
        Ok(bytes)
    };
    let [zero, also_zero, kind, dimensions] = field(0)?;
    if (zero, also_zero) != (0, 0) {
        return Err(broken(0, "an idx file starts with two zero bytes".into()));
    }
    if kind != UNSIGNED_BYTE {
        let what = format!("elements of type 0x{kind:02x}, but only bytes (0x08) are read");
        return Err(broken(2, what));
    }
    if !(1..=4).contains(&dimensions) {
        return Err(broken(3, format!("{dimensions} dimensions, not 1 to 4")));
    }
    let mut shape = Vec::with_capacity(usize::from(dimensions));
    let mut elements = 1_usize;
    for i in 0..usize::from(dimensions) {
        let offset = 4 + 4 * i;
        let side = u32::from_be_bytes(field(offset)?) as usize;
        elements = elements
            .checked_mul(side)
            .filter(|&elements| elements <= MAX_ELEMENTS)
            .ok_or_else(|| {
                let shape = [&shape[..], &[side]].concat();
                broken(
                    offset,
                    format!("a size of {shape:?} is more than {MAX_ELEMENTS} bytes"),
                )
            })?;
        shape.push(side);
    }
    let header = 4 + 4 * shape.len();
    // Grows while reading beyond the first piece, so a header that lies does not cost memory.
    let mut values = Vec::with_capacity(elements.min(1 << 26));
    let result = reader
        .by_ref()
        .take(elements as u64)
        .read_to_end(&mut values);
    if let Err(error) = result {
        return Err(broken(header + values.len(), error.to_string()));
    }
    if values.len() < elements {
        let what = format!(
            "the file ends after {} of {elements} elements of {shape:?}",
            values.len()
        );
        return Err(broken(header + values.len(), what));
    }
    // Reading to the end also makes the gzip decoder compare its checksum.
    match reader.read(&mut [0]) {
        Ok(0) => Ok(Idx { shape, values }),
        Ok(_) => Err(broken(
            header + elements,
            format!("the file goes on after the last element of {shape:?}"),
        )),
        Err(error) => Err(broken(header + elements, error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    fn example() -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4];
        bytes.extend(0..24);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read_bytes(bytes: &[u8]) -> Result<Idx> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        read(file.path())
    }

    #[test]
    fn plain_and_gzipped_files_are_read_alike() {
        let plain = read_bytes(&example()).unwrap();
        assert_eq!(plain.shape, [2, 3, 4]);
        assert_eq!(plain.values, (0..24).collect::<Vec<u8>>());
        assert_eq!(plain, read_bytes(&gzip(&example())).unwrap());
    }

    #[test]
    fn errors_name_the_file_and_the_offset() {
        let error = |bytes: &[u8]| parse(bytes, Path::new("x/y.gz")).unwrap_err().to_string();
        let mut long = example();
        long.push(0);
        assert!(error(&long).contains("x/y.gz: damaged idx file, at byte 40"));
        assert!(error(&example()[..30]).contains("at byte 30: the file ends after 14 of 24"));
        assert!(error(&example()[..6]).contains("at byte 4: the header"));
        assert!(error(b"<html>").contains("at byte 0"));
        let mut floats = example();
        floats[2] = 0x0d;
        assert!(error(&floats).contains("type 0x0d"));
        let mut huge = example();
        huge[4..12].fill(0xff);
        assert!(error(&huge).contains("at byte 4: a size of [4294967295]"));
    }

    #[test]
    fn a_gzip_bomb_is_not_unpacked() {
        // The header asks for 24 elements; a gigabyte of zeros would follow if anybody read on.
        let mut bytes = example();
        bytes.resize(1 << 24, 0);
        let error = read_bytes(&gzip(&bytes)).unwrap_err().to_string();
        assert!(error.contains("goes on after the last element"), "{error}");
    }

    #[test]
    fn a_gzip_file_with_a_wrong_checksum_is_damaged() {
        let mut bytes = gzip(&example());
        let at = bytes.len() - 8;
        bytes[at] ^= 1;
        assert!(read_bytes(&bytes).is_err());
    }

    /// A reader that counts what is taken from it: never-ending zeros.
    struct Endless(usize);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            buffer.fill(0);
            self.0 += buffer.len();
            Ok(buffer.len())
        }
    }

    #[test]
    fn a_file_without_end_is_read_as_far_as_its_header_says() {
        let mut endless = Endless(0);
        let header = [0, 0, 8, 1, 0, 0, 0, 200];
        let error = parse(header.as_slice().chain(&mut endless), Path::new("x")).unwrap_err();
        let said = error.to_string();
        assert!(said.contains("at byte 208: the file goes on"), "{said}");
        assert!(endless.0 <= 1 << 16, "{} bytes were read", endless.0);
    }

    #[test]
    fn a_size_of_zero_is_an_empty_array() {
        let idx = read_bytes(&[0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 28]).unwrap();
        assert_eq!((idx.shape, idx.values.len()), (vec![0, 28], 0));
    }

    proptest! {
        #[test]
        fn every_truncation_is_an_error_with_file_and_offset(cut in 0_usize..40) {
            let error = parse(&example()[..cut], Path::new("some/file")).unwrap_err().to_string();
            prop_assert!(error.starts_with("some/file: damaged idx file, at byte "), "{}", error);
        }

        #[test]
        fn every_truncated_gzip_file_is_an_error(cut in 2_usize..200) {
            let packed = gzip(&example());
            let cut = cut % packed.len();
            let error = read_bytes(&packed[..cut]).unwrap_err().to_string();
            prop_assert!(error.contains(": damaged idx file, at byte "), "{}", error);
        }

        #[test]
        fn every_absurd_size_is_refused_before_memory_is_taken(
            sides in proptest::collection::vec(1_u32 << 8.., 4),
        ) {
            // At least 2^32 elements.
            let mut bytes = vec![0, 0, 8, 4];
            bytes.extend(sides.iter().flat_map(|side| side.to_be_bytes()));
            let error = parse(bytes.as_slice(), Path::new("x")).unwrap_err().to_string();
            prop_assert!(error.contains("is more than"), "{}", error);
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0..3) {
            let start: &[u8] = match kind {
                0 => &[],
                1 => &[0, 0, 8],
                _ => &[0x1f, 0x8b, 8, 0],
            };
            let bytes = [start, &bytes].concat();
            if let Err(error) = read_bytes(&bytes) {
                prop_assert!(error.to_string().contains("at byte "), "{}", error);
            }
        }

        #[test]
        fn damaged_files_never_panic(cut in 0_usize..80, flips in proptest::collection::vec((0_usize..80, any::<u8>()), 0..6), zipped: bool) {
            let mut bytes = if zipped { gzip(&example()) } else { example() };
            bytes.truncate(cut);
            for (at, value) in flips {
                if let Some(byte) = bytes.get_mut(at) { *byte = value; }
            }
            if let Ok(idx) = read_bytes(&bytes) {
                prop_assert_eq!(idx.values.len(), idx.shape.iter().product::<usize>());
            }
        }
    }
}
