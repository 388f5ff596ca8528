#include "limit/redis/script.h"

#include "fmt/format.h"

namespace mediagen::limit {
namespace {

// A charge is five numbers of `n`, from `p` on: the place of its key, its form, its limit, its interval (µs
// of a unit for GCRA, else the window in ms) and its cost; of a lease a sixth follows: until when it counts.
//
// A function of a script is made each time the script runs, for as long as one of its steps takes: so GCRA
// stands where it is used, and the functions of all else are made by the first step that needs them.
constexpr std::string_view kState = R"lua(local call, n, at, said = redis.call, cmsgpack.unpack(ARGV[1]), 2, 0
local now_ms, now_us, spare_ms = n[1], 0, 0
if now_ms < 0 then
  local time = call('TIME')
  now_us = time[1] * 1000000 + time[2]
  now_ms = (now_us - now_us % 1000) / 1000
else
  now_us, spare_ms = now_ms * 1000, 600000
end
local stored = call('MGET', unpack(KEYS))
local tats, charged, changed, answers = {}, {}, {}, {}
)lua";

constexpr std::string_view kExact = R"lua(local exact
local function make_exact()
  local windows, pack, unpack_one, sub = {}, struct.pack, struct.unpack, string.sub
  exact = {}
  -- When unit `i` of the live ones was charged.
  local function moment_of(window, i) return window.base + unpack_one('>I4', window.units, i * 4 - 3) end
  local function window_of(p)
    local key = n[p]
    local window = windows[key]
    if window then return window end
    local bytes = stored[key]
    window = {base = now_ms, now = now_ms, units = '', live = 0}
    windows[key] = window
    if not bytes or #bytes < 12 or #bytes % 4 ~= 0 then return window end
    local base, count = unpack_one('>d', bytes), #bytes / 4 - 2
    local newest = base + unpack_one('>I4', bytes, #bytes - 3)
    if newest > now_ms then window.now = newest end
    local over, first = window.now - n[p + 3] - base, 1  -- up to there units are over
    if base + over >= newest then
      window.base = window.now
      return window
    end
    if unpack_one('>I4', bytes, 9) <= over then
      local last = count
      while first < last do
        local middle = first + (last - first - (last - first) % 2) / 2
        if unpack_one('>I4', bytes, middle * 4 + 5) <= over then first = middle + 1 else last = middle end
      end
    end
    window.base, window.units, window.live = base, sub(bytes, first * 4 + 5), count - first + 1
    return window
  end
  function exact.decide(p)
    local window, limit, interval, cost = window_of(p), n[p + 2], n[p + 3], n[p + 4]
    local live, now = window.live, window.now
    if cost > 0 and live + cost <= limit then return limit - live - cost, interval, 0 end
    local reset = live > 0 and moment_of(window, live) + interval - now or 0
    if live + cost <= limit then return limit - live, reset, 0 end
    return live < limit and limit - live or 0, reset, moment_of(window, live + cost - limit) + interval - now
  end
  -- Units are 32 bits, so the base follows when all since then are more than those hold.
  local function rebase(window)
    local base, units = moment_of(window, 1), {}
    for i = 1, window.live do units[i] = pack('>I4', moment_of(window, i) - base) end
    window.base, window.units = base, table.concat(units)
  end
  function exact.take(p)
    local window, cost = window_of(p), n[p + 4]
    local now = window.now
    if window.live == 0 then window.base = now elseif now - window.base >= 4294967296 then rebase(window) end
    local unit = pack('>I4', now - window.base)
    window.units, window.live = window.units .. (cost == 1 and unit or string.rep(unit, cost)), window.live + cost
    changed[n[p]] = p
    return (now + n[p + 3]) * 1000
  end
  function exact.refund(p)
    local window, cost = window_of(p), n[p + 4]
    window.units, window.live = sub(window.units, cost * 4 + 1), math.max(window.live - cost, 0)
    changed[n[p]] = p
  end
  function exact.give_back(p)
    local window, left, moment = window_of(p), n[p + 4], n[p + 5] / 1000 - n[p + 3]
    for i = window.live, 1, -1 do
      if left > 0 and moment_of(window, i) == moment then
        window.units = sub(window.units, 1, i * 4 - 4) .. sub(window.units, i * 4 + 1)
        window.live, left = window.live - 1, left - 1
      end
    end
    changed[n[p]] = p
  end
  function exact.write(p)
    local window, key = windows[n[p]], KEYS[n[p]]
    if window.live == 0 then return call('DEL', key) end
    local left = moment_of(window, window.live) + n[p + 3] - window.now
    call('PSETEX', key, left + spare_ms, pack('>d', window.base) .. window.units)
  end
  return exact
end
)lua";

constexpr std::string_view kNoLog = R"lua(local log, make_log
)lua";

constexpr std::string_view kLog = R"lua(local log
local function make_log()
  log = {}
  local function text(number) return string.format('%.0f', number) end
  local function now_of(p)
    local newest = call('ZREVRANGE', KEYS[n[p]], 0, 0, 'WITHSCORES')
    local moment = tonumber(newest[2] or 0)
    return moment > now_ms and moment or now_ms, moment, newest[1]
  end
  function log.decide(p)
    local limit, interval, cost, key, now, newest = n[p + 2], n[p + 3], n[p + 4], KEYS[n[p]], now_of(p)
    local after = '(' .. text(now - interval)
    local live = call('ZCOUNT', key, after, '+inf')
    local reset = live > 0 and newest + interval - now or 0
    if live + cost > limit then
      local last = call('ZRANGEBYSCORE', key, after, '+inf', 'WITHSCORES', 'LIMIT', live + cost - limit - 1, 1)
      return live < limit and limit - live or 0, reset, tonumber(last[2]) + interval - now
    end
    return limit - live - cost, cost > 0 and interval or reset, 0
  end
  function log.take(p)
    local interval, key, now, newest, member = n[p + 3], KEYS[n[p]], now_of(p)
    local moment, number, units = text(now), 0, {}
    if newest == now then number = tonumber(string.match(member, '-(%d+)$')) + 1 end
    for i = 1, n[p + 4] do
      units[i * 2 - 1], units[i * 2] = moment, string.format('%s-%06d', moment, number + i - 1)
    end
    call('ZREMRANGEBYSCORE', key, '-inf', text(now - interval))
    call('ZADD', key, unpack(units))
    call('PEXPIRE', key, now - now_ms + interval + spare_ms)
    return (now + interval) * 1000
  end
  function log.refund(p)
    local key, now = KEYS[n[p]], now_of(p)
    call('ZREMRANGEBYSCORE', key, '-inf', text(now - n[p + 3]))
    call('ZREMRANGEBYRANK', key, 0, n[p + 4] - 1)
  end
  function log.give_back(p)
    local key, moment = KEYS[n[p]], text(n[p + 5] / 1000 - n[p + 3])
    local units = call('ZRANGEBYSCORE', key, moment, moment, 'LIMIT', 0, n[p + 4])
    if #units > 0 then call('ZREM', key, unpack(units)) end
  end
  return log
end
)lua";

constexpr std::string_view kSteps = R"lua(local function form_of(p)
  if n[p + 1] == 1 then return exact or make_exact() end
  return log or make_log()
end
local back
local function make_back()
  back = {}
  local function gcra_refund(p, us)
    local key, latest = n[p], now_us + n[p + 3] * n[p + 2]
    local tat = tats[key] or tonumber(stored[key] or 0) or 0
    if tat > latest then tat = latest end
    tats[key], changed[key] = math.max(tat - us, now_us), p
  end
  function back.refund(p)
    if n[p + 4] == 0 then return end
    if n[p + 1] == 0 then return gcra_refund(p, n[p + 3] * n[p + 4]) end
    return form_of(p).refund(p)
  end
  function back.give_back(p)
    local left, all = n[p + 5] - now_us, n[p + 3] * n[p + 4]
    if left <= 0 then return end
    if n[p + 1] == 0 then return gcra_refund(p, left < all and left or all) end
    return form_of(p).give_back(p)
  end
  -- Whether a lease of which some still counts is given back for the first time.
  function back.settle(key, first, last)
    local until_us = 0
    for p = first, last, 6 do until_us = math.max(until_us, n[p + 5]) end
    if until_us <= now_us then return false end
    local left = until_us - now_us + 999
    return call('SET', KEYS[key], '1', 'NX', 'PX', (left - left % 1000) / 1000 + spare_ms)
  end
  return back
end

while at <= #n do
  local verb, first = n[at], at + 3
  local each, numbers = verb == 4 and 6 or 5, verb == 2 and 4 or 3
  local last = first + each * (n[at + 1] - 1)
  if verb <= 2 then
    local allowed, from = true, said
    for p = first, last, each do
      local remaining, reset, retry
      if n[p + 1] == 0 then
        local key, interval = n[p], n[p + 3]
        local tau, tat = interval * n[p + 2], tats[key]
        if not tat then
          tat = tonumber(stored[key] or 0) or 0
          tats[key] = tat
        end
        local ahead = tat - now_us
        if ahead < 0 then ahead = 0 elseif ahead > tau then ahead = tau end
        retry = ahead + interval * n[p + 4] - tau
        if retry > 0 then
          retry = retry + 999
          retry = (retry - retry % 1000) / 1000
        else
          ahead, retry = retry + tau, 0
          charged[p] = ahead + now_us
        end
        remaining, reset = tau - ahead, ahead + 999
        remaining, reset = (remaining - remaining % interval) / interval, (reset - reset % 1000) / 1000
      else
        remaining, reset, retry = form_of(p).decide(p)
      end
      answers[said + 1], answers[said + 2], answers[said + 3] = remaining, reset, retry
      if verb == 2 then answers[said + 4] = 0 end
      said = said + numbers
      if retry > 0 then allowed = false end
    end
    if allowed then
      for p = first, last, each do
        from = from + numbers
        if n[p + 4] > 0 then
          local until_us, key = charged[p], n[p]
          if until_us then
            tats[key], changed[key] = until_us, p
          else
            until_us = form_of(p).take(p)
          end
          if verb == 2 then answers[from] = until_us end
        end
      end
    end
  else
    said = said + 1
    answers[said] = 0
    local of = back or make_back()
    if verb == 3 then
      for p = first, last, each do of.refund(p) end
    elseif of.settle(n[at + 2], first, last) then
      for p = first, last, each do of.give_back(p) end
      answers[said] = 1
    end
  end
  at = last + each
end

for key, p in pairs(changed) do
  local tat = tats[key]
  if not tat then
    exact.write(p)
  elseif tat <= now_us then
    call('DEL', KEYS[key])
  else
    local left = tat - now_us + 999
    call('PSETEX', KEYS[key], (left - left % 1000) / 1000 + spare_ms, tat)
  end
end
return answers
)lua";

void AppendBigEndian(std::string* out, uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) *out += static_cast<char>(value >> shift);
}

}  // namespace

size_t AnswerCount(Verb verb, size_t charges) {
  switch (verb) {
    case Verb::kCheck:
      return charges * 3;
    case Verb::kReserve:
      return charges * 4;
    default:
      return 1;
  }
}

RedisScript LimiterScript(bool with_logs) {
  return RedisScript(fmt::format("{}{}{}{}", kState, kExact, with_logs ? kLog : kNoLog, kSteps));
}

void ScriptBatch::Number(int64_t number) {
  ++count_;
  if (number >= 0 && number < 128) {
    numbers_ += static_cast<char>(number);  // positive fixint
  } else {
    numbers_ += '\xd3';  // int 64
    AppendBigEndian(&numbers_, static_cast<uint64_t>(number), 8);
  }
}

void ScriptBatch::Key(std::string_view key) {
  auto [place, added] = places_.try_emplace(std::string(key), keys_.size() + 1);
  if (added) keys_.emplace_back(key);
  Number(static_cast<int64_t>(place->second));
}

void ScriptBatch::Add(Verb verb, std::span<const ScriptCharge> charges, std::string_view settled_key) {
  Number(static_cast<int64_t>(verb));
  Number(static_cast<int64_t>(charges.size()));
  if (verb == Verb::kGiveBack)
    Key(settled_key);
  else
    Number(0);
  for (const ScriptCharge& charge : charges) {
    Key(charge.key);
    Number(static_cast<int64_t>(charge.form));
    Number(charge.limit);
    Number(charge.interval);
    Number(charge.cost);
    if (verb == Verb::kGiveBack) Number(charge.until_us);
  }
}

std::string ScriptBatch::Packed() const {
  std::string packed = "\xdd";  // array 32
  AppendBigEndian(&packed, count_, 4);
  return packed + numbers_;
}

}  // namespace mediagen::limit
