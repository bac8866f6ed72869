//! Writes a run file.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::{Error, RunFile};

/// Writes a run to `path`, whole or not at all.
///
/// # Errors
/// [`Error::Io`] if the file cannot be written.
pub fn write(run: &RunFile, path: &Path) -> Result<(), Error> {
    let mut text = Vec::new();
    line(&mut text, &run.header);
    run.events.iter().for_each(|event| line(&mut text, event));
    line(&mut text, &run.end);
    // Renamed when it is complete, because a reader may come at any moment.
    let unfinished = path.with_extension("part");
    fs::write(&unfinished, text)?;
    fs::rename(unfinished, path)?;
    Ok(())
}

fn line(text: &mut Vec<u8>, value: &impl serde::Serialize) {
    serde_json::to_writer(&mut *text, value).expect("plain data has an encoding");
    text.write_all(b"\n").expect("memory takes bytes");
}
