//! A build script that does harm. It stops the build, so that cargo shows its output.

use std::net::UdpSocket;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::{env, fs, process};

fn main() {
    let out = env::var("OUT_DIR").unwrap();
    let secret = env::var("EVIL_SECRET").unwrap_or_default();
    println!("own folder: {}", outcome(fs::write(format!("{out}/written"), "x")));
    println!("source: {}", outcome(fs::write("src/written.rs", "x")));
    println!("tmp: {}", outcome(fs::write("/tmp/evil-build", "x")));
    println!("home: {}", outcome(fs::write("/root/evil-build", "x")));
    println!("passwd: {}", outcome(fs::read("/etc/passwd")));
    println!("another submission: {}", outcome(fs::read(secret)));
    println!("processes: {}", outcome(fs::read_dir("/proc")));
    println!("socket: {}", outcome(UdpSocket::bind("127.0.0.1:0")));
    println!("group: {}", outcome(Command::new("/bin/true").process_group(0).status()));
    // Left behind, with a locked file in its hands.
    let held = fs::File::create(env::temp_dir().join("held")).unwrap();
    held.lock().unwrap();
    let mut left = Command::new("/bin/sleep");
    left.arg("1000").stdin(held).stdout(Stdio::null()).stderr(Stdio::null());
    println!("left behind: {}", outcome(left.spawn()));
    process::exit(1);
}

fn outcome<T>(result: std::io::Result<T>) -> String {
    match result {
        Ok(_) => "SUCCEEDED".into(),
        Err(error) => error.to_string(),
    }
}
