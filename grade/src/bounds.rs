//! All bounds of the grader, each with what happens when it is exceeded. Bounds of a peer's frames
//! are in the crate `peer`, those of sandboxed processes in the crate `sandbox`.

use std::time::Duration;

/// The sources of a submission, in bytes. A submission with more is refused.
pub(crate) const SOURCE_BYTES_MAX: u64 = 8 << 20;
/// The files below a submission's `src`. A submission with more is refused.
pub(crate) const FILES_MAX: usize = 1000;
/// Depth of strings within strings that are searched for code. A submission with deeper ones is
/// refused.
pub(crate) const STRING_DEPTH_MAX: usize = 16;

/// The size of an archive. A larger one is refused.
pub(crate) const PACKED_BYTES_MAX: u64 = 32 << 20;
/// The unpacked size of an archive. One that unpacks to more is refused.
pub(crate) const UNPACKED_BYTES_MAX: u64 = 64 << 20;
/// The entries of an archive, folders included. One with more is refused.
pub(crate) const ENTRIES_MAX: usize = 20_000;
/// The length of one component of a path, which is the limit of file systems. A submission with a
/// longer one is refused.
pub(crate) const COMPONENT_BYTES_MAX: usize = 255;
/// The path of a source below the crate's folder. A submission with a longer one is refused.
/// Systems allow 4096 bytes, some 1024; the rest is for the folder in which it is compiled.
pub(crate) const PATH_BYTES_MAX: usize = 512;
/// The length of a name in a sentence. Longer ones are cut.
pub(crate) const SHOWN_NAME_CHARS_MAX: usize = 60;
/// The number of ignored files that are named. Of the others only the number is reported.
pub(crate) const IGNORED_MAX: usize = 20;

/// The name of a submission's package. A submission with a longer one is refused.
pub(crate) const PACKAGE_NAME_BYTES_MAX: usize = 64;

/// The time to fetch crates or to compile the kit's own. To exceed it is a fault of the machine.
pub(crate) const KIT_LIMIT: Duration = Duration::from_secs(1800);
/// Processor time of each process of a build, unless the command line says otherwise. A submission
/// that takes more does not build.
pub(crate) const BUILD_SECONDS: u64 = 120;
/// Memory of each process of a build, in MiB, unless the command line says otherwise. A submission
/// that takes more does not build.
pub(crate) const BUILD_MIB: u64 = 4096;
/// The output of one call of cargo, on stdout and stderr each. A submission that causes more does
/// not build.
pub(crate) const BUILD_OUTPUT_BYTES_MAX: u64 = 16 << 20;
/// The part of a compiler's output that is shown. The rest is only counted.
pub(crate) const SHOWN_BYTES_MAX: usize = 64 << 10;
/// The limit on the real time of a build as a multiple of the limit on its processor time, for a
/// busy machine. A submission that takes longer does not build.
pub(crate) const WALL_PER_CPU: u64 = 3;
/// The time during which no compiler of a build computes or waits for the machine. A submission
/// whose build is idle for longer does not build.
pub(crate) const IDLE_SECONDS_MAX: u64 = 20;
/// The size of all cached programs: about two hundred of 19 MB each on x86-64. Beyond it the least
/// recently used ones are removed, except those in use.
pub(crate) const PROGRAMS_BYTES_MAX: u64 = 4 << 30;

// Bounds of runs. Figures of the reference are over all tests, with peers in processes of their
// own, in release builds.

/// Processor time of one run, with its peers. A run that uses more fails as `timeout`. The
/// reference uses 0.12 s a run on average, and at most 1.0 s.
pub(crate) const RUN_CPU_S_MAX: u64 = 60;

/// Real time of a run whose peers are processes of their own. Other limits end the peers long
/// before, so a run that lasts longer got too little time from the machine: `infra`. Ten times the
/// processor time, for a busy machine.
pub(crate) const RUN_WALL_S_MAX: u64 = 10 * RUN_CPU_S_MAX;

/// Resident memory of the process of a run whose peers are processes of their own. A run that uses
/// more fails as `limit`. The reference uses at most 99 MiB. Data that servers save and send has
/// bounds of its own, which are reached first and name the server.
pub(crate) const RUN_RESIDENT_BYTES_MAX: u64 = 1 << 30;

/// The same if all servers live in that process.
pub(crate) const RUN_IN_PROCESS_RESIDENT_BYTES_MAX: u64 = 4 << 30;

/// Resident memory of a run and its peers together. If more is used when memory runs out, that is
/// the submission's fault: `limit` instead of `infra`. The reference uses at most 219 MiB.
pub(crate) const RUN_FAIR_RESIDENT_BYTES_MAX: u64 = 320 << 20;

/// The processor time that a submission may use for each run of the plan, on average. When it is
/// used up, the remaining runs are not made and give no points. The reference uses a thirtieth.
pub(crate) const SUBMISSION_S_PER_RUN: u64 = 4;

/// The processor time that a submission may use at least, if the plan has few runs: enough for four
/// of the longest.
pub(crate) const SUBMISSION_S_MIN: u64 = 4 * RUN_CPU_S_MAX;

/// The number of seconds of real time that count as one second of processor time, even if the run
/// only waits. More than one, because the machine may be busy with other things.
pub(crate) const RUN_WALL_PER_CPU: u32 = 4;

/// The end of a failing run's output that is kept, in bytes as it is shown.
pub(crate) const OUTPUT_BYTES_MAX: usize = 4 << 10;

/// The size of a run's file in `--out`. A larger file counts as damaged. With the bounds on its
/// texts, a run takes less than 40 KiB as JSON.
pub(crate) const RECORD_BYTES_MAX: u64 = 64 << 10;

/// The interval between two looks at a run in progress.
pub(crate) const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// The real time between two looks that counts. More means that the grader itself was stopped.
pub(crate) const GAP_MAX: Duration = Duration::from_secs(2);

/// Free space in the folder of the builds and runs. With less a grading does not begin.
pub(crate) const ROOM_BYTES_MIN: u64 = 64 << 20;

/// Available memory, in addition to that of each job. With less a grading does not begin. A build
/// of the reference needs less than 256 MiB.
pub(crate) const MEMORY_BYTES_MIN: u64 = 256 << 20;

/// The same for each job. A peer that used more when the system ran out of memory is at fault
/// itself. The reference's largest peer uses 51 MiB, and a run with all its peers at most 219 MiB,
/// much of which they share.
pub(crate) const MEMORY_BYTES_PER_JOB_MIN: u64 = 128 << 20;

/// Address space of one process, if it is limited. Stacks count in full, whether touched or not.
/// With less a grading does not begin.
pub(crate) const ADDRESS_BYTES_MIN: u64 = 4 << 30;

/// Processes and threads that can still be started, for each job. With fewer a grading does not
/// begin.
pub(crate) const TASKS_PER_JOB_MIN: u64 = 256;

/// Files that a process may have open. With fewer a grading does not begin.
pub(crate) const OPEN_FILES_MIN: u64 = 256;

/// The size to which a file may grow. With less a grading does not begin.
pub(crate) const FILE_BYTES_MIN: u64 = 64 << 20;
