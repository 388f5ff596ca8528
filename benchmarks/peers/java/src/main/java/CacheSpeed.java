import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntPredicate;

/**
 * Caffeine as a peer: reads questions, a line of JSON each, and answers each with a line; ../README.md says what may be asked. A cache that
 * was filled is kept for the next question that asks for the same.
 */
public final class CacheSpeed {
  private static final Map<String, Cache<String, byte[]>> CACHES = new HashMap<>();
  private static final Map<String, int[]> INDEXES = new HashMap<>();
  private static String[] keys = {};

  /** Key i is the sixteen digits of SplitMix64(i): every peer makes the same ones. */
  private static String keyOf(long index) {
    long z = (index + 1) * 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return String.format("%016x", z ^ (z >>> 31));
  }

  private static int[] indexesOf(String file, int below) throws IOException {
    if (INDEXES.containsKey(file)) return INDEXES.get(file);
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(Path.of(file))).order(ByteOrder.LITTLE_ENDIAN);
    int[] indexes = new int[bytes.remaining() / 4];
    for (int i = 0; i < indexes.length; i++) {
      indexes[i] = bytes.getInt();
      if (indexes[i] < 0 || indexes[i] >= below) throw new IllegalArgumentException(file + " holds indexes from 0 to " + below);
    }
    INDEXES.put(file, indexes);
    return indexes;
  }

  private static byte[] valueOf(int index, int size) {
    byte[] value = new byte[size];
    for (int i = 0; i < Math.min(size, 4); i++) value[i] = (byte) (index >>> (8 * i));
    return value;
  }

  private static Cache<String, byte[]> cacheFor(JsonObject q, int universe, int valueBytes) {
    int capacity = q.get("capacity").getAsInt();
    return CACHES.computeIfAbsent(universe + " " + capacity + " " + valueBytes, what -> {
      Cache<String, byte[]> cache = Caffeine.newBuilder().maximumSize(capacity).build();
      for (int i = 0; i < Math.min(universe, capacity); i++) cache.put(keys[i], valueOf(i, valueBytes));
      cache.cleanUp();
      return cache;
    });
  }

  /** Every thread goes over all of `indexes` once, thread t from its t-th part on. The seconds that all of them took together. */
  private static double run(int[] indexes, int threads, LongAdder hits, IntPredicate one) throws InterruptedException {
    CountDownLatch begin = new CountDownLatch(1);
    Thread[] workers = new Thread[threads];
    for (int thread = 0; thread < threads; thread++) {
      int at = indexes.length / threads * thread;
      workers[thread] = new Thread(() -> {
        try {
          begin.await();
        } catch (InterruptedException interrupted) {
          return;
        }
        long mine = 0;
        for (int i = at; i < indexes.length; i++) if (one.test(indexes[i])) mine++;
        for (int i = 0; i < at; i++) if (one.test(indexes[i])) mine++;
        hits.add(mine);
      });
      workers[thread].start();
    }
    long start = System.nanoTime();
    begin.countDown();
    for (Thread worker : workers) worker.join();
    return (System.nanoTime() - start) / 1e9;
  }

  private static JsonObject answer(JsonObject q) throws IOException, InterruptedException {
    int universe = q.get("keys").getAsInt();
    int valueBytes = q.get("valueBytes").getAsInt();
    int threads = q.get("threads").getAsInt();
    if (keys.length != universe) {
      keys = new String[universe];
      for (int i = 0; i < universe; i++) keys[i] = keyOf(i);
    }
    int[] indexes = indexesOf(q.get("indexes").getAsString(), universe);
    Cache<String, byte[]> cache = cacheFor(q, universe, valueBytes);
    IntPredicate read = index -> {
      byte[] value = cache.getIfPresent(keys[index]);
      return value != null && value.length == valueBytes;
    };
    IntPredicate getOrPut = index -> {
      boolean hit = read.test(index);
      if (!hit) cache.put(keys[index], valueOf(index, valueBytes));
      return hit;
    };
    LongAdder hits = new LongAdder();
    double seconds = run(indexes, threads, hits, q.get("kind").getAsString().equals("mixed") ? getOrPut : read);
    cache.cleanUp();
    double all = (double) indexes.length * threads;
    JsonObject said = new JsonObject();
    said.addProperty("opsPerSecond", all / seconds);
    said.addProperty("hitRatio", hits.sum() / all);
    said.addProperty("entries", cache.estimatedSize());
    said.addProperty("version", String.valueOf(Caffeine.class.getPackage().getImplementationVersion()));
    return said;
  }

  public static void main(String[] arguments) throws IOException {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonObject said;
      try {
        said = answer(JsonParser.parseString(line).getAsJsonObject());
      } catch (Exception failure) {
        said = new JsonObject();
        said.addProperty("error", failure.toString());
      }
      System.out.println(new Gson().toJson(said));
    }
  }
}
