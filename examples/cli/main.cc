// mediagen: generate pictures and look at what is there, from a shell.
//
//   mediagen --data ./data generate "a red fox in snow" "a lighthouse" -n 2 --output ./pictures
#include "CLI/CLI.hpp"
#include "commands.h"

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

}  // namespace

int main(int argc, char** argv) {
  cli::Settings settings;
  cli::GenerateOptions generate;
  cli::ListOptions list;
  cli::EventsOptions events;
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

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    int code = app.exit(error);
    return code == 0 ? cli::kOk : cli::kUsage;
  }
  if (app.got_subcommand("generate")) return cli::Generate(settings, generate);
  if (app.got_subcommand("list")) return cli::List(settings, list);
  if (app.got_subcommand("show")) return cli::Show(settings, id);
  return cli::Events(settings, events);
}
