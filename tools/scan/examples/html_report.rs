//! Writes the HTML report of the example scan to the standard output: `html_report [--rows N] [--hostile]`.

use std::io::Write;

use rectify_scan::report::html::html;
use rectify_scan::{Scan, example};

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut scan: Scan = example::example();
    if let Some(rows) = arguments.iter().skip_while(|it| *it != "--rows").nth(1).and_then(|it| it.parse().ok()) {
        scan = example::repeated(&scan, rows);
    }
    if arguments.iter().any(|it| it == "--hostile") {
        scan = example::hostile(scan);
    }
    std::io::stdout().write_all(html(&scan).as_bytes())
}
