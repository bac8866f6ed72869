//! Prints the figures of a workspace: sizes, folders, levels, cycles.

use std::fmt::Write;

use crate::folders;
use crate::imports::Imports;
use crate::workspace::Workspace;

/// Files with more lines of code than this are listed.
const LINES_MAX: usize = 400;

/// The report as plain aligned text.
pub(crate) fn render(workspace: &Workspace, imports: &Imports) -> String {
    let mut rows = vec![
        ["crate", "files", "code", "median", "largest", "folders", "levels", "largest file"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let mut long = Vec::new();
    let mut cycles = Vec::new();
    for (name, files) in &imports.files {
        let mut sizes: Vec<(usize, &str)> = files
            .nodes()
            .filter_map(|file| Some((workspace.sources.get(file)?.code_lines, file)))
            .collect();
        sizes.sort_unstable();
        let code: usize = sizes.iter().map(|(lines, _)| lines).sum();
        let median = sizes.get(sizes.len() / 2).map_or(0, |(lines, _)| *lines);
        let (largest, file) = sizes.last().copied().unwrap_or((0, ""));
        let figures = [sizes.len(), code, median, largest, folders::count(files), files.levels()];
        let mut row = vec![name.clone()];
        row.extend(figures.map(|figure| figure.to_string()));
        row.push(file.to_owned());
        rows.push(row);
        long.extend(sizes.into_iter().filter(|(lines, _)| *lines > LINES_MAX));
        cycles.extend(files.cycles().iter().map(|cycle| shown(cycle)));
        let graphs = folders::graphs(files);
        cycles.extend(folders::cycles(&graphs).iter().map(|(_, cycle)| shown(cycle)));
    }
    cycles.extend(imports.crates.cycles().iter().map(|cycle| shown(cycle)));
    long.sort_unstable_by(|a, b| b.cmp(a));
    let long: Vec<String> = long.into_iter().map(|(n, file)| format!("{n:>5}  {file}")).collect();
    let mut text = table(&rows);
    section(&mut text, &format!("files over {LINES_MAX} lines of code"), &long);
    section(&mut text, "cycles", &cycles);
    text
}

fn shown(cycle: &[&str]) -> String {
    format!("{} -> {}", cycle.join(" -> "), cycle[0])
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    let _ = write!(text, "\n{title}: ");
    if lines.is_empty() {
        text.push_str("none\n");
        return;
    }
    let _ = writeln!(text, "{}", lines.len());
    for line in lines {
        let _ = writeln!(text, "    {line}");
    }
}

/// Aligns the first and the last column to the left, and figures to the right.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cell = |(column, cell): (usize, &String)| match column {
            0 => format!("{cell:<width$}", width = widths[0]),
            column if column + 1 == columns => cell.clone(),
            column => format!("{cell:>width$}", width = widths[column]),
        };
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
