//! A peer's process that forges the answers to the grader, which safe code cannot do. It gets a
//! clear verdict on its server, and no points.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use config::{Class, Failure};
use peer::bounds::FRAME_BYTES_MAX;
use peer::delta::Change;
use peer::frames::{self, Advanced, Answer, Output};
use peer::raft::InspectChange;
use raftapi::{ApplyMsg, Inspect, Role};
use serde::Serialize;
use serde_bytes::ByteBuf;

use crate::support::{assert_golden, cargo_grade, folder, kit, program, target, told, write_crate};

/// This case is no answer, but a copy that its template did not seal.
const KEEPS: &str = "what the template has open";
/// The first call is for `make`.
const MADE: Output = Output::Answer { id: 1, answer: Answer::Made { has_read: false } };

/// It never shows its state, so the grader does not wait for that.
const BLIND: Output = Output::Observed { covers: 1, change: None };

fn frame(next_deadline: Option<Duration>, outputs: Vec<(Duration, Output)>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frames::write(&mut bytes, &Advanced { next_deadline, outputs }).unwrap();
    bytes
}

/// The frame of these outputs, all at time zero.
fn outputs(outputs: impl IntoIterator<Item = Output>) -> Vec<u8> {
    frame(None, outputs.into_iter().map(|output| (Duration::ZERO, output)).collect())
}

/// The encoding of a value in a frame.
fn bytes(value: &impl Serialize) -> ByteBuf {
    ByteBuf::from(labrpc::codec::encode(value).unwrap())
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap().to_le_bytes()
}

fn compile(folder: &Path, keeps: &str, answers: &[Vec<u8>]) -> PathBuf {
    let (pieces, program) = (folder.join("answers"), folder.join("forger"));
    let bytes = answers.iter().flat_map(|it| [&length(it.len())[..], it].concat());
    fs::write(&pieces, bytes.collect::<Vec<u8>>()).unwrap();
    let source = kit().join("grade/tests/programs/forger.rs");
    let compiled = Command::new("rustc")
        .args(["--edition", "2024", "-o"])
        .args([&program, &source])
        .env("FORGED_ANSWERS", pieces)
        .env("FORGED_KEEPS", keeps)
        .status();
    assert!(compiled.unwrap().success());
    program
}

/// The program of a crate in the grader's cache.
fn kept_program(folder: &Path, name: &str) -> PathBuf {
    let words = ["--format", "json", "--seeds", "1", "--test", "initial", name];
    let said = told(program(folder).args(words).env("CARGO_TARGET_DIR", target()));
    let (_, id) = said.split_once("\"id\": \"").unwrap_or_else(|| panic!("{said}"));
    Path::new(&target()).join("grade/programs").join(&id[..32])
}

#[test]
fn a_forged_answer_gives_a_verdict_on_its_server() {
    let folder = folder("forged");
    let lib = format!("{}// forged\n", include_str!("idle_peer.rs"));
    write_crate(&folder, "forged", &lib);
    let kept = kept_program(&folder, "forged");
    let nobody = Change::between(b"what it never saved", b"what it never saved");
    let leader = Inspect { role: Role::Leader, current_term: 7, ..Inspect::default() };
    let leader = Some(bytes(&InspectChange::between(&Inspect::default(), &leader)));
    let returned = |result: &[u8]| Answer::Returned(Ok(result.to_vec().into()));
    let nothing_handled = Output::Answer { id: 2, answer: Answer::Handlers(vec![]) };
    let forgeries: [(&str, Vec<Vec<u8>>); 22] = [
        (KEEPS, vec![outputs([MADE])]),
        ("bytes that are no frame", vec![vec![255; 64]]),
        ("a frame that says to be too long", vec![length(FRAME_BYTES_MAX + 1).to_vec()]),
        ("a frame of noise", vec![[&length(3)[..], &[200; 3]].concat()]),
        ("half a frame, and its end", vec![outputs([MADE])[..6].to_vec(), vec![]]),
        ("half a frame, and no more", vec![outputs([MADE])[..6].to_vec()]),
        ("nothing but its end", vec![vec![]]),
        (
            "the answer to what nobody asked",
            vec![outputs([Output::Answer { id: 9, answer: returned(&[9, 1]) }])],
        ),
        (
            "the answer to another call",
            vec![outputs([Output::Answer { id: 1, answer: returned(&[1]) }])],
        ),
        (
            "an answer of another type",
            vec![
                outputs([MADE, BLIND]),
                outputs([nothing_handled.clone()]),
                outputs([Output::Answer { id: 3, answer: returned(&[7]) }]),
            ],
        ),
        (
            "a message that is none",
            vec![
                outputs([MADE, BLIND]),
                outputs([nothing_handled, Output::Delivered(vec![200].into())]),
            ],
        ),
        (
            "a state that is none",
            vec![outputs([MADE, Output::Observed { covers: 1, change: Some(vec![200].into()) }])],
        ),
        ("an answer twice", vec![outputs([MADE, MADE])]),
        (
            "a call of a server that there is not",
            vec![outputs([Output::Request { id: 1, to: 9, method: "A.B".into(), args: vec![] }])],
        ),
        (
            "a save upon what was not saved",
            vec![outputs([Output::Saved { state: nobody.clone(), snapshot: nobody }])],
        ),
        (
            "a look at what has not come",
            vec![outputs([Output::Observed { covers: 5, change: leader.clone() }])],
        ),
        (
            "the same leader at every server",
            vec![outputs([MADE, Output::Observed { covers: 1, change: leader }]), outputs([])],
        ),
        ("a deadline at the end of time", vec![frame(Some(Duration::MAX), vec![])]),
        ("an output at the end of time", vec![frame(None, vec![(Duration::MAX, MADE)])]),
        (
            "a verdict on another server",
            vec![outputs([Output::Failed(Failure::of(2, Class::Panic, "it was server 2"))])],
        ),
        (
            "that the kit is at fault",
            vec![outputs([Output::Failed(Failure::new(Class::Infra, "no memory"))])],
        ),
        (
            "an entry that nobody committed",
            vec![outputs([
                MADE,
                Output::Delivered(bytes(&ApplyMsg::Command {
                    index: 1,
                    command: b"mine".to_vec(),
                })),
            ])],
        ),
    ];
    let mut said = String::new();
    for (what, answers) in forgeries {
        let keeps = if what == KEEPS { "yes" } else { "no" };
        let forger = compile(&folder, keeps, &answers);
        fs::rename(forger, &kept).unwrap();
        let told = cargo_grade(&folder, ["--seeds", "1", "--test", "initial", "forged"]);
        said += &format!("===== {what}\n{told}");
    }
    fs::remove_file(kept).unwrap();
    assert_golden!("forged", folder, said);
}

/// A description that makes no sense is left out of a recording. In a run that is not recorded,
/// nobody asks for one, and it is malformed data.
#[test]
fn a_forged_description_makes_no_recording() {
    let folder = folder("forged description");
    let lib = format!("{}// forged description\n", include_str!("idle_peer.rs"));
    write_crate(&folder, "forged", &lib);
    let kept = kept_program(&folder, "forged");
    let value = || ByteBuf::from(vec![200; 64]);
    let (method, args) = ("Raft.Forged".to_owned(), vec![]);
    let described = Output::DescribedRequest { id: 1, to: 1, method, args, value: value() };
    let nothing_handled = Output::Answer { id: 2, answer: Answer::Handlers(vec![]) };
    let answers = [outputs([MADE, BLIND]), outputs([nothing_handled, described])];
    fs::rename(compile(&folder, "no", &answers), &kept).unwrap();
    let words = "replay --test initial --seed 1 --record a.run forged".split(' ');
    let said = cargo_grade(&folder, words);
    fs::remove_file(kept).unwrap();
    assert!(said.starts_with("exit 1\n"), "{said}");
    assert!(said.contains("server 0's process sent malformed data\n"), "{said}");
    let error = "error: failed to record the run: the second run differed from the first\n";
    assert!(said.ends_with(error), "{said}");
    assert!(!folder.join("a.run").exists());
}
