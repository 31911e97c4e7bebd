//! Ctrl-C: what an interrupted command leaves, and how to go on.
//!
//! All files are whole at every moment: results are replaced as a whole, and files that grow have a
//! checksum per block. An interruption therefore ends the program at once. It only ends the programs
//! of a model, removes temporary files and locks, and says how to go on.

use std::{
    io::{IsTerminal, stderr},
    process::exit,
    sync::{Mutex, PoisonError},
};

use crate::output::terminal::note;

/// The exit code of an interrupted command, as shells give it to one that SIGINT has ended.
const INTERRUPTED: i32 = 130;

/// Says at the time of the interruption how to go on.
type Next = Box<dyn Fn() -> String + Send>;

static NEXT: Mutex<Option<Next>> = Mutex::new(None);

/// Handles Ctrl-C from now on. Where the shell has the program ignore it, as for a job in the background
/// of a script, it is still ignored.
pub fn install() {
    // The only error is that there is a handler: then its owner decides.
    let _ = ctrlc::try_set_handler(|| {
        let next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
        let next =
            next.as_ref().map_or("nothing was written; run the command again".into(), |n| n());
        programs::abandon();
        safe_file::abandon();
        if stderr().is_terminal() {
            // The line with `^C` or a bar of progress.
            eprintln!();
        }
        note(&format!("interrupted: {next}"));
        exit(INTERRUPTED);
    });
}

/// Sets what says how to go on after an interruption from now on: a sentence without a capital letter and
/// without a stop.
pub fn set_next(next: impl Fn() -> String + Send + 'static) {
    *NEXT.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(next));
}
