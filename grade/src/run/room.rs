//! Checks that the machine has enough memory, disk space and processes before a grading begins. In
//! the middle of a run a lack of them would look like a fault of the submission.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::fs::statvfs;
use rustix::process::{Resource, getrlimit, getuid};

use crate::bounds::{
    ADDRESS_BYTES_MIN, FILE_BYTES_MIN, MEMORY_BYTES_MIN, MEMORY_BYTES_PER_JOB_MIN, OPEN_FILES_MIN,
    ROOM_BYTES_MIN, TASKS_PER_JOB_MIN,
};
use crate::exit::UserError;

/// The limits of containers and services: see cgroups(7). Both versions are in use.
const CGROUPS: &str = "/sys/fs/cgroup";

/// The resources of this machine. None if there is no limit, or if it is unknown.
#[derive(Debug, Default, Clone)]
struct Offer {
    room_bytes: Option<u64>,
    memory_bytes: Option<u64>,
    address_bytes: Option<u64>,
    tasks: Option<u64>,
    open_files: Option<u64>,
    file_bytes: Option<u64>,
}

/// Fails with a sentence about the first thing that is missing for `jobs` runs at the same time.
/// The files of the runs are in `folder`.
pub(crate) fn check(folder: &Path, jobs: usize) -> Result<()> {
    let shown = folder.display();
    let trial = folder.join("trial");
    let written = fs::File::create(&trial).and_then(|mut file| file.write_all(&[0; 1 << 10]));
    let _ = fs::remove_file(trial);
    written.map_err(|error| {
        let why = format!("the runs write their files to {shown}, which failed: {error}");
        UserError::kit(why)
    })?;
    match Offer::of_this_machine(folder).missing(jobs as u64, folder) {
        Some(missing) => Err(UserError::kit(missing).into()),
        None => Ok(()),
    }
}

impl Offer {
    fn of_this_machine(folder: &Path) -> Offer {
        let limit = |resource| getrlimit(resource).current;
        let least = |one: Option<u64>, other: Option<u64>| one.into_iter().chain(other).min();
        Offer {
            room_bytes: statvfs(folder).ok().map(|it| it.f_bavail.saturating_mul(it.f_frsize)),
            memory_bytes: least(available_memory(), memory_of_container()),
            address_bytes: least(limit(Resource::As), limit(Resource::Data)),
            tasks: least(least(tasks_of_user(), tasks_of_machine()), tasks_of_container()),
            open_files: limit(Resource::Nofile),
            file_bytes: limit(Resource::Fsize),
        }
    }

    fn missing(&self, jobs: u64, folder: &Path) -> Option<String> {
        let too_little = |offered: Option<u64>, least: u64| offered.filter(|it| *it < least);
        let mib = |bytes: u64| bytes >> 20;
        if let Some(bytes) = too_little(self.room_bytes, ROOM_BYTES_MIN) {
            let (has, needs) = (mib(bytes), mib(ROOM_BYTES_MIN));
            let folder = folder.display();
            return Some(format!(
                "there are {has} MiB of free space in {folder}; grading needs {needs}"
            ));
        }
        let memory = MEMORY_BYTES_MIN + jobs * MEMORY_BYTES_PER_JOB_MIN;
        if let Some(bytes) = too_little(self.memory_bytes, memory) {
            let (has, needs) = (mib(bytes), mib(memory));
            return Some(format!(
                "there are {has} MiB of free memory; grading with --jobs {jobs} needs {needs}"
            ));
        }
        if let Some(bytes) = too_little(self.address_bytes, ADDRESS_BYTES_MIN) {
            let (has, needs) = (mib(bytes), mib(ADDRESS_BYTES_MIN));
            return Some(format!(
                "a process can have {has} MiB of address space (ulimit -v, ulimit -d); \
                 grading needs {needs}"
            ));
        }
        if let Some(tasks) = too_little(self.tasks, jobs * TASKS_PER_JOB_MIN) {
            let needs = jobs * TASKS_PER_JOB_MIN;
            return Some(format!(
                "{tasks} more processes and threads can be started (ulimit -u, pids.max); \
                 grading with --jobs {jobs} needs {needs}"
            ));
        }
        if let Some(files) = too_little(self.open_files, OPEN_FILES_MIN) {
            return Some(format!(
                "a process can open {files} files (ulimit -n); grading needs {OPEN_FILES_MIN}"
            ));
        }
        let bytes = too_little(self.file_bytes, FILE_BYTES_MIN)?;
        let (has, needs) = (mib(bytes), mib(FILE_BYTES_MIN));
        Some(format!("a file can grow to {has} MiB (ulimit -f); grading needs {needs}"))
    }
}

fn available_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib << 10)
}

fn memory_of_container() -> Option<u64> {
    groups("memory").iter().filter_map(|group| memory_of_group(group)).min()
}

/// Counts the memory of cached files that are not in use as available.
fn memory_of_group(group: &Path) -> Option<u64> {
    let number = |name| number(&group.join(name));
    let (max, used, files) = match number("memory.max") {
        Some(max) => (max, number("memory.current")?, "inactive_file "),
        None => {
            let used = number("memory.usage_in_bytes")?;
            (number("memory.limit_in_bytes")?, used, "total_inactive_file ")
        }
    };
    let stat = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
    let files = stat.lines().find_map(|line| line.strip_prefix(files));
    let files: u64 = files.and_then(|it| it.trim().parse().ok()).unwrap_or(0);
    Some(max.saturating_sub(used.saturating_sub(files)))
}

fn tasks_of_container() -> Option<u64> {
    let of_group = |group: &PathBuf| {
        let max = number(&group.join("pids.max"))?;
        Some(max.saturating_sub(number(&group.join("pids.current"))?))
    };
    groups("pids").iter().filter_map(of_group).min()
}

/// The control groups of this process, each within the next: of version 1 those of this controller,
/// of version 2 all. In a container a path may not exist, but then the outermost group is the
/// container's own.
fn groups(controller: &str) -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut groups = Vec::new();
    for line in text.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let root = match controllers {
            "" => PathBuf::from(CGROUPS),
            _ if controllers.split(',').any(|it| it == controller) => {
                Path::new(CGROUPS).join(controllers)
            }
            _ => continue,
        };
        let path = Path::new(path.trim_start_matches('/'));
        groups.extend(path.ancestors().map(|path| root.join(path)));
    }
    groups
}

/// None for `max`.
fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn tasks_of_machine() -> Option<u64> {
    let max: u64 = fs::read_to_string("/proc/sys/kernel/threads-max").ok()?.trim().parse().ok()?;
    // "0.20 0.18 0.12 1/80 11206": the fourth field has the number of tasks.
    let load = fs::read_to_string("/proc/loadavg").ok()?;
    let there_are: u64 = load.split_whitespace().nth(3)?.split_once('/')?.1.parse().ok()?;
    Some(max.saturating_sub(there_are))
}

/// The limit also holds for the peers of root, which have a user of their own.
fn tasks_of_user() -> Option<u64> {
    let max = getrlimit(Resource::Nproc).current?;
    let there_are = if getuid().is_root() { 0 } else { tasks_of(getuid().as_raw()) };
    Some(max.saturating_sub(there_are))
}

fn tasks_of(user: u32) -> u64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_process = |entry: fs::DirEntry| -> Option<u64> {
        let status = fs::read_to_string(entry.path().join("status")).ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        (field("Uid:")? == u64::from(user)).then(|| field("Threads:"))?
    };
    processes.filter_map(of_process).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_is_reported_with_the_amount_that_is_needed() {
        let folder = Path::new("target/grade/runs");
        let said = |offer: Offer| offer.missing(2, folder).unwrap_or_default();
        let mib = |mib: u64| Some(mib << 20);
        let offers = [
            Offer::default(),
            Offer { room_bytes: mib(1), ..Offer::default() },
            Offer { memory_bytes: mib(100), ..Offer::default() },
            Offer { address_bytes: mib(700), ..Offer::default() },
            Offer { tasks: Some(60), ..Offer::default() },
            Offer { open_files: Some(64), ..Offer::default() },
            Offer { file_bytes: mib(1), ..Offer::default() },
        ];
        insta::assert_snapshot!(offers.map(said).join("\n"));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let error = check(&gone, 1).unwrap_err().to_string();
        assert!(error.contains("/gone, which failed: "), "{error}");
    }
}
