using System.Diagnostics;
using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>Configuration mistakes: every one is named, and the program doesn't start with them.</summary>
public sealed class CheckScenarios
{
    private const string Broken = """
        {
          "CdnEdge": {
            "Memory": { "MaxBytes": -1 },
            "Policies": {
              "default": { "HeuristicFraction": 7, "SetCookie": "Sometimes" },
              "assets": { "MaxVariants": 0 }
            },
            "Forwarding": { "TrustedProxies": [ "10.0.0.0/99" ] }
          },
          "ReverseProxy": {
            "Routes": {
              "all": { "ClusterId": "nowhere", "Match": { "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "unheard-of" } }
            },
            "Clusters": {}
          }
        }
        """;

    private static readonly string[] Paths =
    [
        "CdnEdge:Memory:MaxBytes",
        "CdnEdge:Policies:default:HeuristicFraction",
        "CdnEdge:Policies:default:SetCookie",
        "CdnEdge:Policies:assets:MaxVariants",
        "CdnEdge:Forwarding:TrustedProxies:0",
        "nowhere",
        "unheard-of",
    ];

    [Theory]
    [InlineData("check")]
    [InlineData("serve")]
    public async Task Every_mistake_is_named_by_its_path(string command)
    {
        var (exitCode, output) = await WithConfiguration(Broken, file => EdgeProcess.Run(command, "--config", file));

        Assert.Equal(2, exitCode);
        Assert.All(Paths, path => Assert.Contains(path, output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_that_is_no_json_is_a_mistake()
    {
        var (exitCode, output) = await WithConfiguration("{ \"CdnEdge\": ", file => EdgeProcess.Run("check", "--config", file));

        Assert.Equal(2, exitCode);
        Assert.Contains("cdnedge-test-", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_a_mistake()
    {
        var (exitCode, output) = await EdgeProcess.Run("check", "--config", "/nowhere/cdnedge.json");

        Assert.Equal(2, exitCode);
        Assert.Contains("/nowhere/cdnedge.json", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_flag_is_a_wrong_call()
    {
        var (exitCode, output) = await EdgeProcess.Run("serve", "--orgin", "http://127.0.0.1:9");

        Assert.Equal(2, exitCode);
        Assert.Contains("--orgin", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_good_configuration_passes()
    {
        const string Good = """
            {
              "CdnEdge": { "Policies": { "default": { "MaxTtl": "1.00:00:00" } } },
              "ReverseProxy": {
                "Routes": { "all": { "ClusterId": "origin", "Match": { "Path": "/{**rest}" } } },
                "Clusters": { "origin": { "Destinations": { "a": { "Address": "http://127.0.0.1:9" } } } }
              }
            }
            """;

        var (exitCode, output) = await WithConfiguration(Good, file => EdgeProcess.Run("check", "--config", file));

        Assert.True(exitCode == 0, output);
    }

    private static async Task<T> WithConfiguration<T>(string json, Func<string, Task<T>> run)
    {
        var file = ConfigurationFile.Write(json);
        try
        {
            return await run(file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task With_dotnet_run_the_file_is_looked_for_where_the_user_is()
    {
        var file = ConfigurationFile.Write("""{ "CdnEdge": { "Origin": "http://127.0.0.1:9" } }""");
        try
        {
            using var run = Process.Start(new ProcessStartInfo(
                "dotnet",
                ["run", "--no-build", "--project", Path.Combine(Checkout.Root, "src", "CdnEdge"), "-c", Checkout.Configuration, "--", "check", "--config", Path.GetFileName(file)])
            {
                WorkingDirectory = Path.GetDirectoryName(file),
                RedirectStandardOutput = true,
            })!;
            var output = await Deadline.Within(run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), "dotnet run");

            Assert.Contains(": OK (1 route", output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
