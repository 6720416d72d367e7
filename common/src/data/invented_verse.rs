//! What stands in for Shakespeare: lines put together from a few words by a few rules, set out like a play.

use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// For the report.
pub(super) const ORIGIN: &str = "invented verse, built in";

/// As many characters as the book's text has, and some more.
const LENGTH: usize = 120_000;

const SPEAKERS: [&str; 8] = [
    "Emilia",
    "First Lord",
    "Second Lord",
    "Queen",
    "Duke of York",
    "Juliet",
    "Fool",
    "Messenger",
];
const NOUNS: &str =
    "king heart crown night sword friend grave moon voice quarrel jewel mother zeal storm box";
const ADJECTIVES: &str = "gentle cruel sweet noble weary false quick bloody excellent lazy";
const VERBS: &str = "love fear follow kill serve forgive know question vex praise join";
const OPENINGS: &str = "Alas, O, Well, Nay, Come, What? Peace! Farewell;";
const CLOSINGS: &str = ". . . ; ! ?";

/// The same text each time.
pub(super) fn invent() -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut text = String::new();
    while text.len() < LENGTH {
        text += SPEAKERS.choose(&mut rng).copied().unwrap_or_default();
        text += ":\n";
        for _ in 0..rng.random_range(1..=5) {
            text += &line(&mut rng);
            text.push('\n');
        }
        text.push('\n');
    }
    text
}

fn line(rng: &mut ChaCha8Rng) -> String {
    let mut pick = |words: &'static str| -> &'static str {
        let words: Vec<&str> = words.split(' ').collect();
        words.choose(rng).copied().unwrap_or_default()
    };
    let (noun, other) = (pick(NOUNS), pick(NOUNS));
    let (adjective, verb) = (pick(ADJECTIVES), pick(VERBS));
    let sentence = match pick("I thou we he if let") {
        "I" => format!(
            "I {verb} thee, {adjective} {noun}, and {} thy {other}",
            pick(VERBS)
        ),
        "thou" => format!("thou art a {adjective} {noun}; {verb} not my {other}"),
        "we" => format!("we shall {verb} the {noun} of the {adjective} {other}"),
        "he" => format!(
            "he that doth {verb} his {noun} must {} the {other}",
            pick(VERBS)
        ),
        "if" => format!("if the {noun} be {adjective}, I'll {verb} a {other}"),
        _ => format!("let the {adjective} {noun} {verb} us, my {other}"),
    };
    let opening = match pick("no no yes") {
        "yes" => format!("{} ", pick(OPENINGS)),
        _ => String::new(),
    };
    format!("{opening}{sentence}{}", pick(CLOSINGS))
}
