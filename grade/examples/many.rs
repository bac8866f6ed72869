//! Measures the grading of many submissions: copies of the skeleton and of the reference that
//! differ by a comment. Prints wall time, processor time (including builds and runs), peak memory
//! and peak threads of the grader.
//!
//! `many N` uses the `cargo-grade` of the same profile.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use anyhow::{Context, Result};

const WORDS: [&str; 5] = ["--part", "3A", "--seeds", "2", "--format=json"];
/// The interval between two looks at the grader.
const LOOK: Duration = Duration::from_millis(20);
/// The unit of processor time in `/proc`, everywhere on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Result<()> {
    let count: usize = env::args().nth(1).context("how many submissions?")?.parse()?;
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the kit holds the crate")?;
    let folder = env::temp_dir().join(format!("grade-many-{}", process::id()));
    let paths = (0..count).map(|at| variant(kit, &folder, at)).collect::<Result<Vec<_>>>()?;
    let program = env::current_exe()?.with_file_name("../cargo-grade");
    let start = Instant::now();
    let mut child = Command::new(program).args(WORDS).args(&paths).stdout(Stdio::null()).spawn()?;
    let mut seen = Seen::default();
    while seen.look(child.id())? {
        thread::sleep(LOOK);
    }
    let status = child.wait()?;
    fs::remove_dir_all(folder)?;
    println!(
        "submissions {count}  {status}  wall_s {:.1}  cpu_s {:.1}  rss_peak_mib {:.1}  \
         threads_peak {}",
        start.elapsed().as_secs_f64(),
        seen.cpu_seconds,
        seen.rss_peak_kib as f64 / 1024.0,
        seen.threads_peak,
    );
    Ok(())
}

fn variant(kit: &Path, folder: &Path, at: usize) -> Result<PathBuf> {
    let source = if at.is_multiple_of(2) { "skeleton" } else { "raft" };
    let path = folder.join(format!("{source}-{at}"));
    copy(&kit.join(source).join("src"), &path.join("src"))?;
    fs::copy(kit.join(source).join("Cargo.toml"), path.join("Cargo.toml"))?;
    let lib = path.join("src/lib.rs");
    fs::write(&lib, fs::read_to_string(&lib)? + &format!("\n// {} {at}\n", process::id()))?;
    Ok(path)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in from.read_dir()? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Values of a process from `/proc`.
#[derive(Default)]
struct Seen {
    cpu_seconds: f64,
    rss_peak_kib: u64,
    threads_peak: u64,
}

impl Seen {
    /// False once it has ended.
    fn look(&mut self, id: u32) -> Result<bool> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
        // After the name, which may contain anything.
        let fields: Vec<&str> =
            stat.rsplit_once(')').context("a name in brackets")?.1.split_whitespace().collect();
        // utime, stime, cutime and cstime, the 14th to 17th of all.
        let ticks: f64 = fields[11..15].iter().filter_map(|field| field.parse::<f64>().ok()).sum();
        self.cpu_seconds = ticks / TICKS_PER_SECOND;
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        self.rss_peak_kib = self.rss_peak_kib.max(field("VmHWM:").unwrap_or(0));
        self.threads_peak = self.threads_peak.max(field("Threads:").unwrap_or(0));
        Ok(fields[0] != "Z")
    }
}
