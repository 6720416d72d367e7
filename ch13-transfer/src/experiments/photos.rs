//! 13.1: a network that starts from random weights.

use common::Result;
use common::experiment::Run;

/// 13.1
pub(super) fn scratch(run: &mut Run) -> Result<()> {
    run.say("under construction");
    Ok(())
}
