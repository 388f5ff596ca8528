import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Caffeine's hit ratios: {"work": "hits", "trace": a file of little-endian pairs of uint64 key and size, "entries" or "bytes"} is answered with
 * {"objectHitRatio", "byteHitRatio", "version"}. Its maintenance runs on the asking thread, so that a trace's figures don't depend on the
 * machine's load; getIfPresent, else put.
 */
public final class CacheHits {
  private static Cache<Long, Integer> cacheFor(JsonObject q) {
    Caffeine<Object, Object> builder = Caffeine.newBuilder().executor(Runnable::run);
    if (q.has("entries")) return builder.maximumSize(q.get("entries").getAsLong()).build();
    return builder.maximumWeight(q.get("bytes").getAsLong()).weigher((Long key, Integer size) -> size).build();
  }

  private static JsonObject answer(JsonObject q) throws IOException {
    Cache<Long, Integer> cache = cacheFor(q);
    long requests = 0;
    long hits = 0;
    double bytes = 0;
    double hitBytes = 0;
    ByteBuffer piece = ByteBuffer.allocateDirect(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel file = FileChannel.open(Path.of(q.get("trace").getAsString()), StandardOpenOption.READ)) {
      while (file.read(piece) >= 0) {
        for (piece.flip(); piece.remaining() >= 16; requests++) {
          Long key = piece.getLong();
          int size = (int) Math.max(1, Math.min(piece.getLong(), Integer.MAX_VALUE));
          bytes += size;
          if (cache.getIfPresent(key) == null) {
            cache.put(key, size);
          } else {
            hits++;
            hitBytes += size;
          }
        }
        piece.compact();
      }
    }
    JsonObject said = new JsonObject();
    said.addProperty("objectHitRatio", requests == 0 ? 0 : (double) hits / requests);
    said.addProperty("byteHitRatio", bytes == 0 ? 0 : hitBytes / bytes);
    said.addProperty("version", String.valueOf(Caffeine.class.getPackage().getImplementationVersion()));
    return said;
  }

  public static void main(String[] args) throws IOException {
    BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = questions.readLine(); line != null; line = questions.readLine()) {
      JsonObject said;
      try {
        said = answer(JsonParser.parseString(line).getAsJsonObject());
      } catch (IOException | RuntimeException failure) {
        said = new JsonObject();
        said.addProperty("error", String.valueOf(failure));
      }
      System.out.println(said);
      System.out.flush();
    }
  }
}
