//! What stands in for AG News: headlines and sentences from the words of four desks, with other desks' words mixed in.

use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::ag_news::News;

/// For the report.
pub(super) const ORIGIN: &str = "5,000 invented pieces of news, built in";

/// Texts for training and for testing.
const SIZES: [usize; 2] = [4000, 1000];
/// Of a hundred words, those of the text's own desk and those of any desk; the others tell nothing.
const OWN: u32 = 25;
const ANY: u32 = 25;

/// In the order of [`NEWS_CLASSES`](super::NEWS_CLASSES).
const DESKS: [[&str; 2]; 4] = [
    [
        "minister president rebels ceasefire troops election border parliament envoy hostage embassy militants treaty refugees \
         bombing capital protesters verdict army peace",
        "condemned invaded negotiated fled elected bombed pardoned occupied",
    ],
    [
        "coach striker season goalkeeper playoffs inning medal champion tournament quarterback league stadium penalty fans rookie \
         defender record title race umpire",
        "scored defeated kicked dribbled qualified sprinted tackled won",
    ],
    [
        "shares profit oil dollar earnings investors merger bank inflation retailer stocks exports dividend quarter analysts loans \
         chairman prices takeover budget",
        "rose fell traded bought invested lent sold refinanced",
    ],
    [
        "software satellite browser scientists virus chip telescope network species laptop gene search spacecraft phone server \
         researchers internet robot planet code",
        "discovered downloaded launched encrypted upgraded orbited hacked cloned",
    ],
];
const NEUTRAL_NOUNS: &str = "week report people city plan group country officials house year month head home part side day line \
                             number question world";
const NEUTRAL_VERBS: &str = "said found made took gave met left kept wanted showed";
const NAMES: &str = "Smith Tanaka Berlin Chicago Lopez Cairo Moscow Khan Sydney Rossi";

/// The same training and test texts each time.
pub(super) fn invent() -> [News; 2] {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    SIZES.map(|size| {
        let mut news = News::default();
        for i in 0..size {
            let desk = i % DESKS.len();
            let mut writer = Writer {
                desk,
                rng: &mut rng,
            };
            news.texts.push(writer.text());
            news.labels.push(desk as u8);
        }
        news
    })
}

struct Writer<'a> {
    desk: usize,
    rng: &'a mut ChaCha8Rng,
}

impl Writer<'_> {
    fn text(&mut self) -> String {
        let title = format!("{} {} {}", self.noun(), self.verb(), self.noun());
        let sentences = self.rng.random_range(1..4);
        (0..sentences).fold(title, |text, _| text + " " + &self.sentence())
    }

    fn sentence(&mut self) -> String {
        let first = format!(
            "{} {} the {}",
            pick(NAMES, self.rng),
            self.verb(),
            self.noun()
        );
        match self.rng.random_range(0..3) {
            0 => format!("{first}."),
            1 => format!("{first}, and its {} {}.", self.noun(), self.verb()),
            _ => format!(
                "{first} after a {} of the {} {} it.",
                self.noun(),
                self.noun(),
                self.verb()
            ),
        }
    }

    fn noun(&mut self) -> &'static str {
        self.word(0, NEUTRAL_NOUNS)
    }

    fn verb(&mut self) -> &'static str {
        self.word(1, NEUTRAL_VERBS)
    }

    fn word(&mut self, kind: usize, neutral: &'static str) -> &'static str {
        let chance = self.rng.random_range(0..100);
        let words = match chance {
            _ if chance < OWN => DESKS[self.desk][kind],
            _ if chance < OWN + ANY => DESKS[self.rng.random_range(0..DESKS.len())][kind],
            _ => neutral,
        };
        pick(words, self.rng)
    }
}

fn pick(words: &'static str, rng: &mut ChaCha8Rng) -> &'static str {
    let words: Vec<&str> = words.split_whitespace().collect();
    words.choose(rng).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn news_are_always_the_same_and_test_texts_are_new() {
        let [train, test] = invent();
        assert_eq!([train.clone(), test.clone()], invent());
        assert_eq!([train.len(), test.len()], SIZES);
        assert_eq!(test.labels.iter().filter(|&&label| label == 3).count(), 250);
        let known: HashSet<&String> = train.texts.iter().collect();
        let new = test
            .texts
            .iter()
            .filter(|text| !known.contains(text))
            .count();
        assert!(new > 990, "{new}");
    }
}
