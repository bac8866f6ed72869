//! Checks that a copy has only the descriptors that it was given.
//!
//! Through a descriptor that two copies share, their servers could communicate outside the network.
//! The program itself cannot be trusted, so the kernel is asked. By then the copy has given up
//! every call by which it could get another descriptor.

use std::fs::{self, File};
use std::io::{self, ErrorKind::NotFound, ErrorKind::PermissionDenied};
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use rustix::process::Pid;

/// A descriptor that the copy has and was not given. None if there is no such descriptor, or if
/// this process is not allowed to look: only root is.
pub(super) fn foreign(pid: Pid, given: &[&File]) -> io::Result<Option<String>> {
    let mut own = Vec::with_capacity(given.len());
    for file in given {
        own.push(fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?);
    }
    let is_pipe = |it: &&PathBuf| it.as_os_str().as_encoded_bytes().starts_with(b"pipe:[");
    let own_files = own.len() - own.iter().filter(is_pipe).count();
    let folder = match fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero())) {
        Ok(folder) => folder,
        // A process that has ended has nothing open, and the next step reports its end.
        Err(error) if matches!(error.kind(), PermissionDenied | NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut files = 0;
    for entry in folder.flatten() {
        // It was closed in the meantime.
        let Ok(name) = fs::read_link(entry.path()) else { continue };
        if !own.contains(&name) {
            // The kernel's number in the name differs from run to run.
            let name = name.to_string_lossy();
            return Ok(Some(match name.split_once(":[") {
                Some((kind, _)) => format!("another {kind}"),
                None => name.into_owned(),
            }));
        }
        // Each copy gets its own open file of the program. Another one may be shared with other
        // copies.
        files += usize::from(!is_pipe(&&name));
        if files > own_files {
            return Ok(Some("a second descriptor of its program".to_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::fs::FileTypeExt;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_descriptor_that_was_not_given_is_found() {
        let mut cat = Command::new("cat");
        let mut child = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        // Once it repeats its input, the loader has closed its files.
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let entries = fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap();
        let all: Vec<File> = entries
            .map(|it| File::options().read(true).open(it.unwrap().path()).unwrap())
            .collect();
        let all: Vec<&File> = all.iter().collect();
        assert_eq!(foreign(pid, &all).unwrap(), None);
        let is_pipe = |file: &File| file.metadata().unwrap().file_type().is_fifo();
        let others: Vec<&File> = all.iter().copied().filter(|file| !is_pipe(file)).collect();
        assert_eq!(foreign(pid, &others).unwrap(), Some("another pipe".to_owned()));
        drop((all, child.stdin.take()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
