// mediagen: generate pictures and look at what is there, from a shell.
//
//   mediagen --data ./data generate "a red fox in snow" "a lighthouse" -n 2 --output ./pictures
#include "CLI/CLI.hpp"
#include "commands.h"
#include "images.h"

namespace {

void AddGenerate(CLI::App& app, cli::GenerateOptions& options) {
  CLI::App* command =
      app.add_subcommand("generate", "Generate from one or more prompts and wait for the pictures");
  command
      ->add_option("prompt", options.prompts,
                   "What to make, one generation a prompt; - reads one from the standard input")
      ->required();
  command->add_option("--provider", options.provider, "Who makes it")->capture_default_str();
  command->add_option("--model", options.model, "The provider's model");
  command->add_option("-n", options.n, "Pictures a generation")
      ->capture_default_str()
      ->check(CLI::Range(1, 10));
  command->add_option("--size", options.size, "Like 1024x1024");
  command->add_option("--seed", options.seed,
                      "A whole number; the same seed makes the same picture where the provider can");
  command->add_option("--user", options.user, "Whose it is")->capture_default_str();
  command->add_option("--option", options.options, "key=value for the provider; may be repeated")
      ->expected(1)
      ->take_all();
  command->add_option("--output", options.output_dir, "Copy the pictures into this directory");
}

// The image commands, by which one was given.
using ImageCommand = int (*)(const cli::Settings&, const cli::ImageOptions&);
struct ImageCommands {
  CLI::App* group = nullptr;
  std::vector<std::pair<CLI::App*, ImageCommand>> all;
};

ImageCommands AddImages(CLI::App& app, cli::ImageOptions& options) {
  ImageCommands out;
  out.group = app.add_subcommand("image", "Look at pictures and convert them, without a data directory");
  out.group->require_subcommand(1);
  auto add = [&](const char* name, const char* what, ImageCommand command) {
    CLI::App* sub = out.group->add_subcommand(name, what);
    sub->add_option("--jobs", options.jobs, "Files at once (default: one a core)")->check(CLI::Range(1, 256));
    out.all.emplace_back(sub, command);
    return sub;
  };
  CLI::App* probe = add("probe", "Print what the headers say, a JSON document a file", cli::ProbeImages);
  probe->add_option("file", options.files, "PNG, JPEG, WebP or GIF")->required();
  CLI::App* hash =
      add("thumbhash", "Print the ThumbHash (base64) and the average colour", cli::ThumbHashImages);
  hash->add_option("file", options.files, "PNG, JPEG, WebP or GIF")->required();
  CLI::App* decode = add("decode", "Write the pixels of the first frame", cli::DecodeImage);
  decode->add_option("--raw", options.raw, "Where to: RGBA rows without gaps, turned as EXIF says")
      ->required();
  decode->add_option("file", options.files, "PNG, JPEG, WebP or GIF")->required()->expected(1);
  CLI::App* convert = add("convert", "Convert one picture, or many into a folder", cli::ConvertImages);
  convert->add_option("files", options.files, "IN OUT, or IN... FOLDER")->required();
  convert->add_option("--width", options.width, "At most this wide")->check(CLI::Range(1, 65535));
  convert->add_option("--height", options.height, "At most this high")->check(CLI::Range(1, 65535));
  convert->add_option("--fit", options.fit, "cover, contain, inside, outside or fill")
      ->capture_default_str()
      ->check(CLI::IsMember({"cover", "contain", "inside", "outside", "fill"}));
  convert
      ->add_option("--format", options.format, "png, jpeg or webp (default: by OUT's name; webp in a folder)")
      ->check(CLI::IsMember({"png", "jpeg", "jpg", "webp"}));
  convert->add_option("--quality", options.quality, "Of JPEG and WebP")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  cli::Settings settings;
  cli::GenerateOptions generate;
  cli::ListOptions list;
  cli::EventsOptions events;
  cli::ImageOptions images;
  std::string id;

  CLI::App app("mediagen: the embeddable backend for generative media");
  app.set_version_flag("--version", mediagen_version());
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--data", settings.data_dir,
                 "The data directory (default: the configuration's, else ./mediagen-data)");
  app.add_option("--config", settings.config_file, "A JSON configuration file (docs/configuration.md)");
  app.add_flag("--json", settings.json, "Print one JSON document a line");
  AddGenerate(app, generate);
  CLI::App* list_command = app.add_subcommand("list", "List generations, newest first");
  list_command->add_option("--limit", list.limit, "How many")
      ->capture_default_str()
      ->check(CLI::Range(1, 50));
  list_command->add_option("--cursor", list.cursor, "Go on behind this page");
  list_command->add_option("--status", list.status,
                           "Only these: pending, processing, completed, failed, canceled, unknown");
  CLI::App* show_command = app.add_subcommand("show", "Show one generation");
  show_command->add_option("id", id, "Its id, or ext:<externalId>")->required();
  CLI::App* events_command = app.add_subcommand("events", "Follow what happens until Ctrl-C");
  events_command->add_option("--after", events.after,
                             "Begin behind this event id; \"\" is the oldest that is kept");
  events_command->add_option("--topic", events.topics, "Only these topics; may be repeated")
      ->expected(1)
      ->take_all();

  const ImageCommands image_commands = AddImages(app, images);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    int code = app.exit(error);
    return code == 0 ? cli::kOk : cli::kUsage;
  }
  if (app.got_subcommand("generate")) return cli::Generate(settings, generate);
  if (app.got_subcommand("list")) return cli::List(settings, list);
  if (app.got_subcommand("show")) return cli::Show(settings, id);
  for (const auto& [command, run] : image_commands.all) {
    if (command->parsed()) return run(settings, images);
  }
  return cli::Events(settings, events);
}
