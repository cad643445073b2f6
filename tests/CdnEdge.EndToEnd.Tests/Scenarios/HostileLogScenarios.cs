using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>What visitors trust a site with is in no log, however much is logged.</summary>
public sealed class HostileLogScenarios
{
    [Fact]
    public async Task No_credential_of_a_visitor_is_logged()
    {
        await using var origin = new ScriptedOrigin();
        var page = origin.Serves(exchange => exchange.Respond(200, ["Cache-Control: no-store", "Set-Cookie: session=s3cret-set"], "hello"));
        var broken = origin.Serves(exchange => exchange.Reset());
        await using var edge = await EdgeProcess.Serve(["--origin", origin.Url], new Dictionary<string, string>
        {
            ["Logging__LogLevel__Default"] = "Debug",
            ["Logging__LogLevel__Yarp"] = "Debug",
            ["Logging__LogLevel__Microsoft"] = "Debug",
            ["CdnEdge__Sites__*__Tokens__Paths__0"] = "/never/",
            ["CdnEdge__Sites__*__Tokens__Keys__one"] = Convert.ToBase64String(new byte[32]),
        });

        foreach (var path in new[] { page.Path, broken.Path, "/never/", "/%zz" })
        {
            await using var client = await RawClient.Connect(edge.Address);
            await client.Ask(
                "GET", $"{path}?cdn-token=s3cret-token", "Authorization: Bearer s3cret-bearer", "Cookie: session=s3cret-cookie; cdn-token=s3cret-other", "Proxy-Authorization: Basic s3cret-proxy");
            await client.Receive();
        }

        // The failure at the origin is logged, so that what is looked at is what would be there.
        await Deadline.Until(() => edge.Output.Contains(broken.Path, StringComparison.Ordinal) || edge.Output.Contains("connection_terminated", StringComparison.Ordinal), "the failure in the log");
        Assert.DoesNotContain("s3cret", edge.Output, StringComparison.Ordinal);
    }
}
