//! Ctrl-C (and a polite `kill`): the first one asks the run to stop at the next step, the second one ends the process.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Starts listening. Called once by the command line; a second call changes nothing.
pub fn listen() {
    let on_signal = || {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        eprintln!("\nStopping after this step (once more to stop at once) ...");
    };
    // Fails only when a handler is set already, by an earlier call.
    let _ = ctrlc::set_handler(on_signal);
}

/// Whether the run was asked to stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
