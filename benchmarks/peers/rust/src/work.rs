// What the works share: keys, precomputed indexes, threads that begin together, versions.
use serde_json::Value;
use std::sync::Barrier;
use std::time::Instant;

pub const KEY_BYTES: usize = 16;

// Key i is the sixteen digits of SplitMix64(i): every peer makes the same ones.
fn key_of(index: u64) -> [u8; KEY_BYTES] {
    let mut z = index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let digits = format!("{:016x}", z ^ (z >> 31));
    digits.as_bytes().try_into().expect("sixteen digits")
}

pub fn keys(count: usize) -> Vec<[u8; KEY_BYTES]> {
    (0..count as u64).map(key_of).collect()
}

pub fn indexes(file: &str, below: usize) -> Result<Vec<u32>, String> {
    let bytes = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    let indexes: Vec<u32> = bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    if indexes.is_empty() || indexes.iter().any(|&index| index as usize >= below) {
        return Err(format!("{file} holds indexes from 0 to {below}, at least one"));
    }
    Ok(indexes)
}

pub fn text<'a>(question: &'a Value, name: &str) -> Result<&'a str, String> {
    question[name].as_str().ok_or_else(|| format!("\"{name}\" is a string"))
}

pub fn count(question: &Value, name: &str) -> Result<usize, String> {
    match question[name].as_u64() {
        Some(count) if count > 0 => Ok(count as usize),
        _ => Err(format!("\"{name}\" is a positive integer")),
    }
}

// Every thread goes over all of `indexes` once, thread t from its t-th part on. How many of the calls of `one` said yes, and the seconds
// that all of them took together.
pub fn run(indexes: &[u32], threads: usize, one: impl Fn(usize) -> bool + Sync) -> (u64, f64) {
    let ready = Barrier::new(threads + 1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let (ready, one) = (&ready, &one);
                scope.spawn(move || {
                    let (before, after) = indexes.split_at(indexes.len() / threads * thread);
                    ready.wait();
                    after.iter().chain(before).map(|&index| u64::from(one(index as usize))).sum::<u64>()
                })
            })
            .collect();
        ready.wait();
        let begin = Instant::now();
        let yes = workers.into_iter().map(|worker| worker.join().expect("no panic")).sum();
        (yes, begin.elapsed().as_secs_f64())
    })
}

// The resident bytes of this process.
pub fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

// The version that Cargo.lock names.
pub fn version(package: &str) -> String {
    let lock = include_str!("../Cargo.lock");
    let after = lock.split(&format!("name = \"{package}\"\nversion = \"")).nth(1).unwrap_or("?\"");
    after.split('"').next().unwrap_or("?").to_string()
}
