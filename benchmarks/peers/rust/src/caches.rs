// moka and quick_cache: byte strings as keys, shared bytes as values.
use crate::work;
use serde_json::{json, Value};
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

type Key = Box<[u8]>;
type Bytes = Arc<[u8]>;

trait Cache: Sync {
    fn get(&self, key: &[u8]) -> Option<Bytes>;
    fn put(&self, key: &[u8], value: Bytes);
    fn settle(&self) {}
    fn entries(&self) -> u64;
}

impl<S: BuildHasher + Clone + Send + Sync + 'static> Cache for moka::sync::Cache<Key, Bytes, S> {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        moka::sync::Cache::get(self, key)
    }
    fn put(&self, key: &[u8], value: Bytes) {
        self.insert(key.into(), value);
    }
    fn settle(&self) {
        self.run_pending_tasks();
    }
    fn entries(&self) -> u64 {
        self.entry_count()
    }
}

impl Cache for quick_cache::sync::Cache<Key, Bytes> {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        quick_cache::sync::Cache::get(self, key)
    }
    fn put(&self, key: &[u8], value: Bytes) {
        self.insert(key.into(), value);
    }
    fn entries(&self) -> u64 {
        self.len() as u64
    }
}

enum AnyCache {
    Moka(moka::sync::Cache<Key, Bytes>),
    MokaFoldhash(moka::sync::Cache<Key, Bytes, foldhash::fast::RandomState>),
    QuickCache(quick_cache::sync::Cache<Key, Bytes>),
}

impl AnyCache {
    fn open(name: &str, capacity: usize) -> Result<AnyCache, String> {
        let moka = || moka::sync::Cache::builder().max_capacity(capacity as u64);
        match name {
            "moka" => Ok(AnyCache::Moka(moka().build())),
            "moka-foldhash" => Ok(AnyCache::MokaFoldhash(moka().build_with_hasher(Default::default()))),
            "quick_cache" => Ok(AnyCache::QuickCache(quick_cache::sync::Cache::new(capacity))),
            _ => Err("\"cache\" is \"moka\", \"moka-foldhash\" or \"quick_cache\"".into()),
        }
    }

    fn version(&self) -> String {
        work::version(if matches!(self, AnyCache::QuickCache(_)) { "quick_cache" } else { "moka" })
    }
}

// A cache that was filled, and what an entry took beyond its key and its value.
struct Filled {
    cache: AnyCache,
    overhead: f64,
}

fn value_of(index: usize, size: usize) -> Bytes {
    let mut value = vec![0u8; size];
    let stamp = (index as u64).to_le_bytes();
    let stamped = size.min(stamp.len());
    value[..stamped].copy_from_slice(&stamp[..stamped]);
    value.into()
}

fn fill(cache: &impl Cache, keys: &[[u8; work::KEY_BYTES]], count: usize, value_bytes: usize) -> f64 {
    let before = work::resident_bytes();
    for (index, key) in keys.iter().enumerate().take(count) {
        cache.put(key, value_of(index, value_bytes));
    }
    cache.settle();
    (work::resident_bytes() as f64 - before as f64) / count as f64 - (work::KEY_BYTES + value_bytes) as f64
}

fn measure(cache: &impl Cache, q: &Value, keys: &[[u8; work::KEY_BYTES]], indexes: &[u32]) -> Result<Value, String> {
    let (threads, value_bytes) = (work::count(q, "threads")?, work::count(q, "valueBytes")?);
    let read = |index: usize| cache.get(&keys[index]).is_some_and(|value| value.len() == value_bytes);
    let get_or_put = |index: usize| {
        let hit = read(index);
        if !hit {
            cache.put(&keys[index], value_of(index, value_bytes));
        }
        hit
    };
    let (hits, seconds) = match work::text(q, "kind")? {
        "read" => work::run(indexes, threads, read),
        "mixed" => work::run(indexes, threads, get_or_put),
        _ => return Err("\"kind\" is \"read\" or \"mixed\"".into()),
    };
    cache.settle();
    let all = (indexes.len() * threads) as f64;
    Ok(json!({ "opsPerSecond": all / seconds, "hitRatio": hits as f64 / all, "entries": cache.entries() }))
}

#[derive(Default)]
pub struct Caches {
    filled: HashMap<String, Filled>,
    keys: Vec<[u8; work::KEY_BYTES]>,
    indexes: HashMap<String, Vec<u32>>,
}

impl Caches {
    pub fn answer(&mut self, q: &Value) -> Result<Value, String> {
        let (name, universe, capacity) = (work::text(q, "cache")?, work::count(q, "keys")?, work::count(q, "capacity")?);
        if self.keys.len() != universe {
            self.keys = work::keys(universe);
        }
        let file = work::text(q, "indexes")?;
        if !self.indexes.contains_key(file) {
            self.indexes.insert(file.to_string(), work::indexes(file, universe)?);
        }
        let what = format!("{name} {universe} {capacity} {}", q["valueBytes"]);
        if !self.filled.contains_key(&what) {
            let cache = AnyCache::open(name, capacity)?;
            let (count, value_bytes) = (universe.min(capacity), work::count(q, "valueBytes")?);
            let overhead = match &cache {
                AnyCache::Moka(moka) => fill(moka, &self.keys, count, value_bytes),
                AnyCache::MokaFoldhash(moka) => fill(moka, &self.keys, count, value_bytes),
                AnyCache::QuickCache(quick) => fill(quick, &self.keys, count, value_bytes),
            };
            self.filled.insert(what.clone(), Filled { cache, overhead });
        }
        let (filled, indexes) = (&self.filled[&what], &self.indexes[file]);
        let mut said = match &filled.cache {
            AnyCache::Moka(moka) => measure(moka, q, &self.keys, indexes),
            AnyCache::MokaFoldhash(moka) => measure(moka, q, &self.keys, indexes),
            AnyCache::QuickCache(quick) => measure(quick, q, &self.keys, indexes),
        }?;
        said["overheadBytes"] = json!(filled.overhead);
        said["version"] = json!(filled.cache.version());
        Ok(said)
    }
}
