// governor's keyed limiter on its default store (DashMap) and clock. Several rules are several limiters, asked one after another.
use crate::work;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use serde_json::{json, Value};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

type Key = Box<[u8]>;

struct Kept {
    limiters: Vec<DefaultKeyedRateLimiter<Key>>,
    keys: Vec<Key>,
    indexes: Vec<u32>,
}

fn quota(rule: &Value) -> Result<Quota, String> {
    let limit = work::count(rule, "limit")? as u32;
    let period = Duration::from_millis(work::count(rule, "periodMs")? as u64);
    let burst = NonZeroU32::new(limit).ok_or("\"limit\" is positive")?;
    Ok(Quota::with_period(period / limit).ok_or("\"periodMs\" is too short for its limit")?.allow_burst(burst))
}

fn open(q: &Value) -> Result<Kept, String> {
    let count = work::count(q, "keys")?;
    let rules = q["rules"].as_array().filter(|rules| !rules.is_empty()).ok_or("\"rules\" is a list of {limit, periodMs}")?;
    let limiters = rules.iter().map(|rule| quota(rule).map(RateLimiter::keyed)).collect::<Result<Vec<_>, _>>()?;
    let keys = work::keys(count).iter().map(|key| Key::from(&key[..])).collect();
    Ok(Kept { limiters, keys, indexes: work::indexes(work::text(q, "indexes")?, count)? })
}

#[derive(Default)]
pub struct Limiters {
    kept: HashMap<String, Kept>,
}

impl Limiters {
    pub fn answer(&mut self, q: &Value) -> Result<Value, String> {
        if work::text(q, "limiter")? != "governor" {
            return Err("\"limiter\" is \"governor\"".into());
        }
        let what = format!("{} {} {}", q["keys"], q["rules"], q["indexes"]);
        if !self.kept.contains_key(&what) {
            self.kept.insert(what.clone(), open(q)?);
        }
        let Kept { limiters, keys, indexes } = &self.kept[&what];
        let threads = work::count(q, "threads")?;
        let allow = |index: usize| limiters.iter().all(|limiter| limiter.check_key(&keys[index]).is_ok());
        let (allowed, seconds) = work::run(indexes, threads, allow);
        let all = (indexes.len() * threads) as f64;
        Ok(json!({ "checksPerSecond": all / seconds, "allowed": allowed as f64 / all, "version": work::version("governor") }))
    }
}
