//! Texts to pieces of words, as BERT reads them (section 13.4.1).

use std::path::Path;

use common::{Error, Result};
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{AddedToken, Tokenizer};

/// Signs that every vocabulary of BERT has; the first one fills up shorter texts.
const SIGNS: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
/// A vocabulary of BERT in 100 languages has 1 MB.
const LARGEST: u64 = 16 << 20;

/// WordPiece: a text in lower case without accents, words cut into the longest pieces that the vocabulary knows, `[CLS]` in front and `[SEP]`
/// behind. The rules are those of Hugging Face's crate `tokenizers`.
#[derive(Clone, Debug)]
pub struct Pieces {
    tokenizer: Tokenizer,
    /// `[CLS]` and `[SEP]`.
    ends: [u32; 2],
    padding: u32,
}

impl Pieces {
    /// Reads a vocabulary: a piece per line, those that continue a word with `##` in front.
    ///
    /// # Errors
    /// [`Error::Io`] when the file can't be read, [`Error::Data`] when it is no vocabulary of BERT.
    pub fn load(path: &Path) -> Result<Self> {
        let bad = |why: String| {
            Error::Data(format!(
                "{}: is no vocabulary of BERT: {why}",
                path.display()
            ))
        };
        let size = std::fs::metadata(path).map_err(Error::io(path))?.len();
        if size > LARGEST {
            return Err(bad(format!("it has {size} bytes")));
        }
        let name = path
            .to_str()
            .ok_or_else(|| bad("its name is no text".into()))?;
        let model = WordPiece::from_file(name);
        let model = model.unk_token(SIGNS[1].into()).build();
        let mut tokenizer = Tokenizer::new(model.map_err(|error| bad(error.to_string()))?);
        let number = |sign: &str| {
            let number = tokenizer.token_to_id(sign);
            number.ok_or_else(|| bad(format!("it lacks {sign}")))
        };
        let [padding, _, cls, sep, _] = SIGNS.map(number);
        let (ends, padding) = ([cls?, sep?], padding?);
        number(SIGNS[1])?;
        tokenizer.with_normalizer(Some(BertNormalizer::new(true, true, None, true)));
        tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
        let signs = SIGNS.map(|sign| AddedToken::from(sign, true));
        tokenizer.add_special_tokens(&signs);
        Ok(Self {
            tokenizer,
            ends,
            padding,
        })
    }

    /// The numbers of a text's pieces between those of `[CLS]` and `[SEP]`, `longest` of them at most.
    ///
    /// # Errors
    /// [`Error::Data`] when the text can't be cut into pieces.
    pub fn encode(&self, text: &str, longest: usize) -> Result<Vec<u32>> {
        let encoded = self.tokenizer.encode(text, false);
        let encoded = encoded.map_err(|error| Error::Data(format!("a text: {error}")))?;
        let pieces = encoded.get_ids().iter().take(longest.saturating_sub(2));
        let [cls, sep] = self.ends;
        Ok([cls]
            .into_iter()
            .chain(pieces.copied())
            .chain([sep])
            .collect())
    }

    /// The piece of a number; `[UNK]` if there is none.
    pub fn piece(&self, number: u32) -> String {
        let piece = self.tokenizer.id_to_token(number);
        piece.unwrap_or_else(|| SIGNS[1].to_string())
    }

    /// Number of pieces.
    pub fn len(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// Whether there is none; never.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number that fills up shorter texts.
    pub fn padding(&self) -> u32 {
        self.padding
    }
}
