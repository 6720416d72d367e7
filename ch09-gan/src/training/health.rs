//! Whether the game still goes on.

use common::{Error, Result};

/// Scores that differ by less, relative to their size, are the same.
const FLAT: f32 = 1e-6;
/// Iterations in a row that a discriminator may say the same of everything.
const PATIENCE: usize = 100;
/// A loss beyond this one does not come back.
const LOST: f32 = 1e8;

/// Finds a loss that is no number, and a discriminator that says the same of every example, real or not: it has no gradient for the
/// generator to learn from.
#[derive(Default)]
pub(super) struct Health {
    flat: usize,
}

impl Health {
    /// Looks at the losses of D and G and at the lowest and highest score of an iteration.
    ///
    /// # Errors
    /// [`Error::Training`] with what is wrong.
    pub(super) fn check(&mut self, [d, g]: [f32; 2], [low, high]: [f32; 2]) -> Result<()> {
        for (player, loss) in [("discriminator", d), ("generator", g)] {
            if loss.is_nan() || loss.abs() >= LOST {
                return Err(Error::Training(format!(
                    "the {player}'s loss is {loss}; a lower rate (--lr) may help"
                )));
            }
        }
        let flat = high - low <= FLAT * high.abs().max(low.abs());
        self.flat = if flat { self.flat + 1 } else { 0 };
        if self.flat < PATIENCE {
            return Ok(());
        }
        Err(Error::Training(format!(
            "the discriminator has collapsed: for {PATIENCE} iterations it has given every example the score {high}, so the generator has \
             nothing to learn from; a lower rate (--lr) may help"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_is_no_number_is_named() {
        for bad in [f32::NAN, f32::INFINITY, -1e9] {
            let error = Health::default().check([bad, 0.0], [0.0, 1.0]);
            assert!(error.unwrap_err().to_string().contains("discriminator's"));
            let error = Health::default().check([0.0, bad], [0.0, 1.0]);
            assert!(error.unwrap_err().to_string().contains("generator's"));
        }
    }

    #[test]
    fn a_constant_discriminator_is_found_after_a_while_only() {
        let mut health = Health::default();
        for _ in 0..PATIENCE - 1 {
            health.check([0.1, 0.1], [5.0, 5.0]).unwrap();
        }
        health.check([0.1, 0.1], [5.0, 5.1]).unwrap();
        for _ in 0..PATIENCE - 1 {
            health.check([0.1, 0.1], [0.0, 0.0]).unwrap();
        }
        let error = health.check([0.1, 0.1], [0.0, 0.0]).unwrap_err();
        assert!(error.to_string().contains("collapsed"), "{error}");
    }
}
