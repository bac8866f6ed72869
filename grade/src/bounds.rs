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
pub(crate) const LEFT_OUT_MAX: usize = 20;

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
