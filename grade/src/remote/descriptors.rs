//! What a copy has open: nothing but what it was given.
//!
//! A descriptor that two copies had in common would let their servers talk past the network. What a
//! program says of itself is no proof, so the kernel is asked, after the copy has given up every
//! call by which it could get another one.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;

use rustix::process::Pid;

/// A descriptor that the copy was not given, as the kernel names it, if it has one. None, too, where
/// this process may not look: only root may.
pub(super) fn foreign<const N: usize>(pid: Pid, given: [&File; N]) -> io::Result<Option<String>> {
    let mut own = Vec::with_capacity(N);
    for file in given {
        own.push(fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?);
    }
    let folder = match fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero())) {
        Ok(folder) => folder,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(error),
    };
    for entry in folder {
        let name = fs::read_link(entry?.path())?;
        if !own.contains(&name) {
            // The number that the kernel gives it is another each time.
            let name = name.to_string_lossy();
            return Ok(Some(match name.split_once(":[") {
                Some((kind, _)) => format!("another {kind}"),
                None => name.into_owned(),
            }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::process::{Command, Stdio};

    use super::*;

    fn pipe() -> (File, File) {
        let (from, to) = io::pipe().unwrap();
        (OwnedFd::from(from).into(), OwnedFd::from(to).into())
    }

    #[test]
    fn a_descriptor_that_was_not_given_is_found() {
        let (near_in, far_in) = pipe();
        let (far_out, near_out) = pipe();
        let (given_in, given_out) = (near_in.try_clone().unwrap(), near_out.try_clone().unwrap());
        // Without what this test was started with itself.
        let close = "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec cat";
        let mut child = Command::new("sh");
        child
            .args(["-c", close])
            .stdin(near_in)
            .stdout(near_out.try_clone().unwrap())
            .stderr(near_out);
        let mut child = child.spawn().unwrap();
        let pid = Pid::from_child(&child);
        assert_eq!(foreign(pid, [&given_in, &given_out]).unwrap(), None);
        assert!(foreign(pid, [&given_out]).unwrap().is_some_and(|it| it == "another pipe"));
        drop((far_in, far_out, given_in, given_out));
        child.wait().unwrap();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        assert!(foreign::<0>(Pid::from_child(&child), []).unwrap().is_some());
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
