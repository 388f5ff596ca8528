// The peers of Rust: moka, quick_cache and governor. Reads questions, a line of JSON each, and answers each with a line; ../README.md
// says what may be asked. What a question fills (a cache, a limiter) is kept for the next one that asks for the same.
mod caches;
mod limiters;
mod work;

use serde_json::{json, Value};
use std::io::{stdin, stdout, BufRead, Write};

fn answer(line: &str, caches: &mut caches::Caches, limiters: &mut limiters::Limiters) -> Result<Value, String> {
    let question: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    match question["work"].as_str() {
        Some("cache") => caches.answer(&question),
        Some("limiter") => limiters.answer(&question),
        _ => Err("\"work\" is \"cache\" or \"limiter\"".into()),
    }
}

fn main() {
    let mut caches = caches::Caches::default();
    let mut limiters = limiters::Limiters::default();
    for line in stdin().lock().lines() {
        let line = line.expect("stdin is readable");
        let said = answer(&line, &mut caches, &mut limiters).unwrap_or_else(|error| json!({ "error": error }));
        let mut out = stdout().lock();
        writeln!(out, "{said}").and_then(|()| out.flush()).expect("stdout is writable");
    }
}
