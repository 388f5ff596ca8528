#include "cache/redis/scripts.h"

#include "fmt/format.h"

namespace mediagen::tiered {
namespace {

// generation(): the latest number by which a value of `key` with these tags was invalidated. `own` false: not
// counting what was said of the key itself.
constexpr char kRules[] = R"lua(
local function generation(g, key, tags, own)
  local names = {'all'}
  if own then names[2] = 'k:' .. key end
  for _, tag in ipairs(tags) do names[#names + 1] = 't:' .. tag end
  for length in string.gmatch(redis.call('HGET', g, 'lengths') or '', '%d+') do
    if tonumber(length) <= #key then names[#names + 1] = 'p:' .. string.sub(key, 1, tonumber(length)) end
  end
  local latest = 0
  for from = 1, #names, 1000 do
    local found = redis.call('HMGET', g, unpack(names, from, math.min(from + 999, #names)))
    for i = 1, #found do latest = math.max(latest, tonumber(found[i] or 0)) end
  end
  return latest
end
local function tags_of(frame)
  local count, at = struct.unpack('>H', frame)
  local tags = {}
  for i = 1, count do tags[i], at = struct.unpack('>Hc0', frame, at) end
  return tags
end
local function stamped(run, seq, frame) return 'mgc1' .. run .. string.format('%016.0f', seq) .. frame end
local state = redis.call('HMGET', KEYS[1], 'run', 'seq')
local run, seq = state[1] or '', tonumber(state[2] or 0)
)lua";

// run_id is another one after every start of a server, and another server's after a failover.
constexpr char kHello[] = R"lua(
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
local have = redis.call('HMGET', KEYS[1], 'run', 'server', 'seq', 'life')
local seq = tonumber(have[3] or 0)
if not have[1] or have[2] ~= server then
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
  local text = string.format('%.0f', seq)
  redis.call('HSET', KEYS[1], 'run', ARGV[1], 'server', server, 'seq', text, 'all', text, 'life', ARGV[2])
  return {ARGV[1], seq}
end
if tonumber(have[4] or 0) < tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], 'life', ARGV[2]) end
return {have[1], seq}
)lua";

// A value that is out of date, or that is none of ours, is dropped on the way.
constexpr char kRead[] = R"lua(
if run == '' then return {run, seq} end
local value = redis.pcall('GET', KEYS[2])
if not value then return {run, seq} end
if type(value) == 'string' then
  local begun, frame = tonumber(string.sub(value, 21, 36)), string.sub(value, 37)
  local good, tags = pcall(tags_of, frame)
  if string.sub(value, 1, 4) == 'mgc1' and string.sub(value, 5, 20) == run and begun and begun <= seq and good
      and generation(KEYS[1], ARGV[1], tags, true) <= begun then
    return {run, seq, frame, redis.call('PTTL', KEYS[2])}
  end
end
redis.call('DEL', KEYS[2])
return {run, seq}
)lua";

constexpr char kStore[] = R"lua(
local begun, frame = tonumber(ARGV[2]), ARGV[5]
if run ~= ARGV[1] or generation(KEYS[1], ARGV[3], tags_of(frame), true) > begun then return {run, seq, 0} end
redis.call('SET', KEYS[2], stamped(run, begun, frame), 'PX', ARGV[4])
return {run, seq, 1}
)lua";

// A prefix is looked for by its length, so there are 32 lengths at most; past that, and past 100,000 keys,
// tags and prefixes in the hash, everything is invalidated instead. What is in it is dropped once no value
// can be older.
constexpr char kPublish[] = R"lua(
if run ~= ARGV[1] then return {run, seq} end
local g, stream, due = KEYS[1], KEYS[2], KEYS[3]
local time = redis.call('TIME')
local now, life = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(redis.call('HGET', g, 'life'))
local function begin_anew()
  local keep = redis.call('HMGET', g, 'run', 'server', 'seq', 'life')
  redis.call('UNLINK', g, due)
  redis.call('HSET', g, 'run', keep[1], 'server', keep[2], 'seq', keep[3], 'all', keep[3], 'life', keep[4])
end
local function length_is_known(length)
  local lengths, count = redis.call('HGET', g, 'lengths') or '', 0
  for known in string.gmatch(lengths, '%d+') do
    if tonumber(known) == length then return true end
    count = count + 1
  end
  if count >= 32 then return false end
  redis.call('HSET', g, 'lengths', lengths .. ' ' .. length)
  return true
end
local at, value = 3, 4
while at <= #ARGV do
  local kind, name = ARGV[at], ARGV[at + 1]
  at = at + 2
  seq = redis.call('HINCRBY', g, 'seq', 1)
  if kind == 'p' and not length_is_known(#name) then kind, name = 'a', '' end
  if kind == 'a' then
    begin_anew()
  else
    local field = (kind == 'u' and 'k' or kind) .. ':' .. name
    redis.call('HSET', g, field, string.format('%.0f', seq))
    redis.call('ZADD', due, string.format('%.0f', now + life), field)
  end
  if kind == 'k' or kind == 'u' then
    redis.call('DEL', KEYS[value])
  end
  if kind == 'u' then
    local begun, ttl, frame = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2]
    at = at + 3
    if frame ~= '' and generation(g, name, tags_of(frame), false) <= begun then
      redis.call('SET', KEYS[value], stamped(run, seq, frame), 'PX', ttl)
    end
    kind = 'k'
  end
  if kind == 'k' then value = value + 1 end
  redis.call('XADD', stream, 'MAXLEN', '~', '10000', string.format('%.0f-0', seq), 'k', kind, 'n', name, 'o', ARGV[2])
end
local old = redis.call('ZRANGEBYSCORE', due, '-inf', string.format('%.0f', now), 'LIMIT', 0, 500)
if #old > 0 then
  redis.call('HDEL', g, unpack(old))
  redis.call('ZREM', due, unpack(old))
end
if redis.call('HLEN', g) > 100000 then begin_anew() end
return {run, seq, 1}
)lua";

RedisScript WithRules(const char* script) { return RedisScript(std::string(kRules) + script); }

}  // namespace

const Scripts& AllScripts() {
  static const auto* const scripts =
      new Scripts{RedisScript(kHello), WithRules(kRead), WithRules(kStore), WithRules(kPublish)};
  return *scripts;
}

Names::Names(std::string_view name)
    : base(fmt::format("{{mediagen:cache:{}}}", name)), g(base + "g"), stream(base + "s"), due(base + "x") {}

}  // namespace mediagen::tiered
