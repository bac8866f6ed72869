# Plants the known bugs into the reference Raft, and writes bugs/matrix.json and bugs/matrix.md.
[group("dev")]
bugs *arguments:
    cargo run --release -p bugs -- {{arguments}}
