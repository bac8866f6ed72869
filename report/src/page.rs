//! The page: the run, a script and a style in one file.

use runfile::RunFile;

use crate::columns;

const SCRIPT: &str = include_str!("../web/dist/page.js");
const STYLE: &str = include_str!("../web/dist/page.css");
/// The hash of the script: no other script runs in the page, whatever a text in it says.
const SCRIPT_HASH: &str = include_str!("../web/dist/page.js.sha256");

/// The picture of a run as one HTML file.
///
/// It refers to no other file and makes no request, so it can be opened from disk and sent around.
/// Each text of the run is harmless in it: a browser reads the run as data only.
pub fn html(run: &RunFile) -> String {
    let title = escape(&format!("{}, seed {}", run.header.test, run.header.seed));
    // Columns are numbers, lists and texts: each of them can be written.
    let data = columns::of(run).map_or_else(|_| "null".to_owned(), |data| data.to_string());
    // In a script element only `<` can begin something else.
    let data = data.replace('<', "\\u003c");
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src 'unsafe-inline'; img-src data:",
        SCRIPT_HASH.trim()
    );
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <div id=\"page\"></div>\n\
         <noscript>This page needs JavaScript to draw the run.</noscript>\n\
         <script type=\"application/json\" id=\"run\">{data}</script>\n\
         <script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
