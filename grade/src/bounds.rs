//! Every bound of the grader in one place, each with what happens when it is reached.

use std::time::Duration;

/// The sources of a submission, in bytes. A submission with more is refused.
pub(crate) const SOURCE_BYTES_MAX: u64 = 8 << 20;
/// The files below a submission's `src`. A submission with more is refused.
pub(crate) const FILES_MAX: usize = 1000;
/// Strings within strings that are looked at for code. A submission with deeper ones is refused.
pub(crate) const STRING_DEPTH_MAX: usize = 16;

/// The size of an archive as it was handed in. A larger one is refused.
pub(crate) const PACKED_BYTES_MAX: u64 = 32 << 20;
/// What is unpacked of an archive. One that unpacks to more is refused.
pub(crate) const UNPACKED_BYTES_MAX: u64 = 64 << 20;
/// The entries of an archive, folders included. One with more is refused.
pub(crate) const ENTRIES_MAX: usize = 20_000;
/// One component of a path, which is as much as file systems take. What has a longer one is
/// refused.
pub(crate) const COMPONENT_BYTES_MAX: usize = 255;
/// The path of a source below the crate's folder. A submission with a longer one is refused.
/// Systems take 4096 bytes, some 1024; the folder in which it is compiled has the rest.
pub(crate) const PATH_BYTES_MAX: usize = 512;
/// A name in a sentence. The rest of it is left out.
pub(crate) const SHOWN_NAME_CHARS_MAX: usize = 60;
/// What is told of what was left out of a submission. Beyond it, only the number is.
pub(crate) const IGNORED_MAX: usize = 20;

/// The name of a submission's package. A submission with a longer one is refused.
pub(crate) const PACKAGE_NAME_BYTES_MAX: usize = 64;

/// Fetching crates or compiling the kit's own. What takes longer is the fault of the machine.
pub(crate) const KIT_LIMIT: Duration = Duration::from_secs(1800);
/// Processor time of each process of a build, unless the command line says otherwise. A submission
/// that takes more does not build.
pub(crate) const BUILD_SECONDS: u64 = 120;
/// Memory of each process of a build, in MiB, unless the command line says otherwise. A submission
/// that takes more does not build.
pub(crate) const BUILD_MIB: u64 = 4096;
/// What cargo prints in one call, on each of its outputs. A submission that brings more does not
/// build.
pub(crate) const BUILD_OUTPUT_BYTES_MAX: u64 = 16 << 20;
/// What is shown of a compiler's words. The rest is counted and left out.
pub(crate) const SHOWN_BYTES_MAX: usize = 64 << 10;
/// The real time of a build is bounded by so many times its processor time: room for a busy
/// machine. A submission that takes longer does not build.
pub(crate) const WALL_PER_CPU: u64 = 3;
/// The time in which no compiler of a build computes or waits for the machine. A submission whose
/// build is idle for longer does not build.
pub(crate) const IDLE_SECONDS_MAX: u64 = 20;
/// All programs that are kept, some two hundred of 19 MB each on x86-64. Beyond it those that were
/// not used for longest are removed, but none that is in use.
pub(crate) const PROGRAMS_BYTES_MAX: u64 = 4 << 30;

// Of runs. Figures of the reference were measured over all tests, over processes, in release.

/// Processor time of one run, with its peers; a run that uses more is ended as `timeout`. The
/// reference uses 0.12 s a run on average, and 1.0 s in its costliest.
pub(crate) const RUN_CPU_S_MAX: u64 = 60;

/// Real time of a run whose peers are processes of their own. They are ended by what they use or
/// wait for long before, so that it is the machine which had no time for one that lasts longer:
/// `infra`. Ten times the processor time, for a machine that does much else.
pub(crate) const RUN_WALL_S_MAX: u64 = 10 * RUN_CPU_S_MAX;

/// Resident memory of the process of a run whose peers are processes of their own; a run that uses
/// more is ended as `limit`. The reference uses at most 99 MiB. What servers save and send has
/// bounds of its own, which name the server and are reached first.
pub(crate) const RUN_RESIDENT_BYTES_MAX: u64 = 1 << 30;

/// The same where all servers live in that process.
pub(crate) const RUN_IN_PROCESS_RESIDENT_BYTES_MAX: u64 = 4 << 30;

/// Resident memory of a run and its peers together, above which a want of memory is the
/// submission's own doing: `limit` instead of `infra`. The reference uses at most 219 MiB.
pub(crate) const RUN_FAIR_RESIDENT_BYTES_MAX: u64 = 320 << 20;

/// The processor time that a submission may use for each run of the plan, on average; when that is
/// used up, the rest is not run and gets no points. Thirty times what the reference uses.
pub(crate) const SUBMISSION_S_PER_RUN: u64 = 4;

/// A submission gets at least this, however few runs the plan has: four of its costliest.
pub(crate) const SUBMISSION_S_MIN: u64 = 4 * RUN_CPU_S_MAX;

/// A run that waits costs a submission a second for so many seconds of real time, even if it uses
/// no processor time; more than one, since the machine may be busy with other things.
pub(crate) const RUN_WALL_PER_CPU: u32 = 4;

/// What a failing run printed, from its end, in bytes as it is shown; the rest is not kept.
pub(crate) const OUTPUT_BYTES_MAX: usize = 4 << 10;

/// A run in `--out` takes at most this; a larger file is called damaged. What the bounds on a
/// run's texts leave takes less than 40 KiB as JSON.
pub(crate) const RECORD_BYTES_MAX: u64 = 64 << 10;

/// How often a run is looked at while it goes on.
pub(crate) const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// What passes between two looks at a run counts up to this much.
pub(crate) const GAP_MAX: Duration = Duration::from_secs(2);

/// Free room in the folder of the builds and runs; with less a grading does not begin.
pub(crate) const ROOM_BYTES_MIN: u64 = 64 << 20;

/// Memory that can be had, whatever the number of jobs; with less a grading does not begin. A build
/// of the reference needs less than 256 MiB.
pub(crate) const MEMORY_BYTES_MIN: u64 = 256 << 20;

/// The same for each run at once; and a peer that used more when the system ran out of memory is
/// at fault itself. The reference's largest peer uses 51 MiB, and a run of it with its peers at
/// most 219 MiB, much of which they share.
pub(crate) const MEMORY_BYTES_PER_JOB_MIN: u64 = 128 << 20;

/// Address space of one process, where that is limited: stacks count in full, whether touched or
/// not. With less a grading does not begin.
pub(crate) const ADDRESS_BYTES_MIN: u64 = 4 << 30;

/// Processes and threads that can still be started for each run at once; with fewer a grading does
/// not begin.
pub(crate) const TASKS_PER_JOB_MIN: u64 = 256;

/// Files that a process may have open; with fewer a grading does not begin.
pub(crate) const OPEN_FILES_MIN: u64 = 256;

/// The size to which a file may grow; with less a grading does not begin.
pub(crate) const FILE_BYTES_MIN: u64 = 64 << 20;
