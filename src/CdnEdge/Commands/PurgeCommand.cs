using System.CommandLine;
using System.Text.Json.Nodes;
using CdnEdge.Control;
using Spectre.Console;

namespace CdnEdge.Commands;

/// <summary><c>cdnedge purge</c>: makes what is stored of URLs, tags, prefixes, sites or everything go.</summary>
internal sealed class PurgeCommand
{
    private readonly AdminCall _admin;
    private readonly Argument<string[]> _urls = new("URL") { Description = "URLs to purge, with all their variants.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string[]> _tags = new("--tag") { Description = "A tag (Surrogate-Key, Cache-Tag); may be repeated.", HelpName = "T" };
    private readonly Option<string[]> _prefixes = new("--prefix") { Description = "A URL: its path and all below it; may be repeated.", HelpName = "URL" };
    private readonly Option<string[]> _sites = new("--site") { Description = "A host; may be repeated.", HelpName = "HOST" };
    private readonly Option<bool> _all = new("--all") { Description = "Everything." };
    private readonly Option<bool> _soft = new("--soft") { Description = "Stale rather than gone: still usable under the stale rules, and revalidated." };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only say what would be hit on this node." };
    private readonly Option<bool> _wait = new("--wait") { Description = "Wait until every PoP that can be reached has it; fails if one hasn't." };

    internal PurgeCommand(AdminCall admin)
    {
        _admin = admin;
        Command = new Command("purge", "Purge URLs, tags, prefixes, sites or everything, everywhere.") { _urls, _tags, _prefixes, _sites, _all, _soft, _dryRun, _wait };
        admin.AddOptions(Command);
        Command.SetAction(RunAsync);
    }

    internal Command Command { get; }

    private Task<int> RunAsync(ParseResult call, CancellationToken stop) => _admin.RunAsync(call, async client =>
    {
        var body = new PurgeBody
        {
            Urls = NullIfEmpty(call.GetValue(_urls)),
            Tags = NullIfEmpty(call.GetValue(_tags)),
            Prefixes = NullIfEmpty(call.GetValue(_prefixes)),
            Sites = NullIfEmpty(call.GetValue(_sites)),
            Everything = call.GetValue(_all),
            Soft = call.GetValue(_soft),
        };
        if (!body.Everything && body.Urls is null && body.Tags is null && body.Prefixes is null && body.Sites is null)
        {
            await _admin.WriteErrorAsync("purge: nothing to purge; give URLs, --tag, --prefix, --site or --all");
            return ExitCode.Wrong;
        }

        var query = call.GetValue(_dryRun) ? "?dryRun=true" : call.GetValue(_wait) ? "?wait=all" : "";
        var reply = await client.SendAsync(HttpMethod.Post, $"/purge{query}", body, stop);
        var code = await _admin.ShowAsync(call, reply, Show);
        return code == ExitCode.Done && call.GetValue(_wait) && !call.GetValue(_dryRun) && reply.Body["everywhere"]?.GetValue<bool>() != true ? ExitCode.Failed : code;
    });

    private static string[]? NullIfEmpty(string[]? items) => items is { Length: > 0 } ? items : null;

    private static void Show(IAnsiConsole console, JsonObject answer)
    {
        if (answer["dryRun"] is not null)
        {
            console.WriteLine($"would hit {answer["objects"]} stored response(s), {answer["bytes"]} bytes, in the memory of this node");
            return;
        }

        var everywhere = answer["everywhere"]?.GetValue<bool>() == true;
        console.WriteLine($"purged: {answer["id"]}{(everywhere ? "" : " (others are taking it up)")}");
        var others = (answer["nodes"] as JsonArray ?? []).Select(static node => ("node", node)).Concat((answer["pops"] as JsonArray ?? []).Select(static pop => ("PoP", pop))).ToList();
        if (others.Count < 2 && everywhere)
            return;
        var table = new Table().Border(TableBorder.Rounded).AddColumns("", "name", "has it", "reachable", "last error");
        foreach (var (kind, one) in others)
            table.AddRow(kind, Markup.Escape($"{one?["name"]}"), YesNo(one?["acknowledged"]), YesNo(one?["reachable"]), Markup.Escape($"{one?["lastError"]}"));
        console.Write(table);
    }

    private static string YesNo(JsonNode? flag) => flag?.GetValue<bool>() == true ? "yes" : "no";
}
