using CdnEdge.Upstream.Clusters;

namespace CdnEdge.Tests;

/// <summary>CdnEdge:Clusters and what routes say of their way: every mistake by its path, before it's in force.</summary>
public class WayReviewTests
{
    private const string Key = "\"Peering\": { \"Id\": \"lhr-1\", \"Key\": \"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\" }";

    [Fact]
    public async Task A_whole_way_has_no_mistake()
    {
        var reviewed = await ReviewAsync($"{Key}, \"Clusters\": {{ \"regional\": {{ \"Shield\": \"shields\", \"Siblings\": \"shields\", \"Failover\": \"core\" }}, \"shields\": {{ \"Peers\": true }} }}");

        Assert.Empty(reviewed.Errors);
        Assert.Empty(reviewed.Warnings);
        Assert.Equal("core", reviewed.Cache.Clusters["regional"].Failover);
    }

    [Theory]
    [InlineData("\"regonal\": {}", "CdnEdge:Clusters:regonal: no cluster is named 'regonal'; did you mean 'regional'?")]
    [InlineData("\"regional\": { \"Failover\": \"cor\" }", "CdnEdge:Clusters:regional:Failover: no cluster is named 'cor'; did you mean 'core'?")]
    [InlineData("\"regional\": { \"Shield\": \"elsewhere\" }", "CdnEdge:Clusters:regional:Shield: no cluster is named 'elsewhere'")]
    [InlineData("\"regional\": { \"Shield\": \"regional\" }", "CdnEdge:Clusters:regional:Shield: 'regional' is the cluster itself")]
    [InlineData("\"regional\": { \"Shield\": \"core\" }", "CdnEdge:Clusters:regional:Shield: 'core' is not a cluster of nodes; say so with CdnEdge:Clusters:core:Peers: true")]
    [InlineData("\"regional\": { \"Siblings\": \"core\" }", "CdnEdge:Clusters:regional:Siblings: 'core' is not a cluster of nodes")]
    [InlineData("\"regional\": { \"Failover\": \"core\" }, \"core\": { \"Failover\": \"regional\" }", "CdnEdge:Clusters:regional:Failover: runs in a circle, regional > core > regional")]
    [InlineData("\"regional\": { \"Failover\": \"regional\" }", "CdnEdge:Clusters:regional:Failover: runs in a circle, regional > regional")]
    [InlineData("\"shields\": { \"Peers\": true }", "CdnEdge:Clusters:shields:Peers: nodes know each other by a key, and there is none; CdnEdge:Peering:Key")]
    [InlineData("\"regional\": { \"Host\": \"a b\" }", "CdnEdge:Clusters:regional:Host: 'a b' is not a host")]
    [InlineData("\"regional\": { \"Timeouts\": { \"FirstByte\": \"00:02:00\" } }", "CdnEdge:Clusters:regional:Timeouts:Total: 00:01:00 is not from 00:02:00 to 01:00:00")]
    [InlineData("\"regional\": { \"Timeouts\": { \"Connect\": 3 } }", "CdnEdge:Clusters:regional:Timeouts:Connect: '3' is not a duration")]
    [InlineData("\"regional\": { \"Retries\": { \"Budget\": 2 } }", "CdnEdge:Clusters:regional:Retries:Budget: 2 is not from 0 to 1")]
    [InlineData("\"regional\": { \"Retries\": { \"Statuses\": [ 503, 404 ] } }", "CdnEdge:Clusters:regional:Retries:Statuses:1: 404 is not a status from 500 to 599")]
    [InlineData("\"regional\": { \"Breaker\": { \"FailureRate\": 0.5 } }", "CdnEdge:Clusters:regional:Breaker:FailureRate: unknown key; did you mean 'FailureRatio'?")]
    [InlineData("\"regional\": { \"Connections\": { \"Ca\": \"/nowhere/ca.pem\" } }", "CdnEdge:Clusters:regional:Connections:Ca: ")]
    [InlineData("\"regional\": { \"Connections\": { \"Key\": \"/nowhere/key.pem\" } }", "CdnEdge:Clusters:regional:Connections:Certificate: missing")]
    [InlineData("\"regional\": { \"Probe\": { \"Body\": \"ok\" } }", "CdnEdge:Clusters:regional:Probe: nothing is probed by it")]
    [InlineData("\"regional\": { \"Probe\": { \"Statuses\": [] } }", "CdnEdge:Clusters:regional:Probe:Statuses: none, so that no probe could succeed")]
    [InlineData("\"regional\": { \"Probe\": { \"Statuses\": [ 700 ] } }", "CdnEdge:Clusters:regional:Probe:Statuses:0: 700 is not a status from 200 to 599")]
    [InlineData("\"regional\": { \"Probe\": { \"Statuses\": [ 204 ], \"Body\": \"ok\" } }", "CdnEdge:Clusters:regional:Probe:Body: 'ok' can't be in an answer without a body")]
    [InlineData("\"regional\": { \"Ejection\": { \"BaseTime\": \"00:10:00\", \"MaxTime\": \"00:01:00\" } }", "CdnEdge:Clusters:regional:Ejection:MaxTime: 00:01:00 is not from 00:10:00")]
    public async Task A_mistake_is_named_by_its_path(string clusters, string mistake)
    {
        var reviewed = await ReviewAsync($"\"Clusters\": {{ {clusters} }}");

        Assert.Contains(reviewed.Errors, error => error.StartsWith(mistake, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("CdnEdge.Failover", "elsewhere", "no cluster is named 'elsewhere'")]
    [InlineData("CdnEdge.Failover", "regional", "'regional' is the route's cluster itself")]
    [InlineData("CdnEdge.Shield", "core", "'core' is not a cluster of nodes")]
    public async Task A_mistake_in_a_route_too(string key, string value, string mistake)
    {
        var reviewed = await ReviewAsync("\"Name\": \"edge\"", metadata: $"\"{key}\": \"{value}\"");

        Assert.Contains(reviewed.Errors, error => error.StartsWith($"ReverseProxy:Routes:site:Metadata:{key}: {mistake}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("lhr-1", "http://10.0.0.1:8080")]
    [InlineData("other", "http://127.0.0.1:8080")]
    public async Task A_node_that_is_its_own_shield_is_refused(string name, string address)
    {
        var reviewed = await ReviewAsync($"{Key}, \"Clusters\": {{ \"shields\": {{ \"Peers\": true }} }}", shield: $"\"{name}\": {{ \"Address\": \"{address}\" }}");

        Assert.Contains($"ReverseProxy:Clusters:shields:Destinations:{name}: is this node itself; only other nodes belong into a cluster of nodes", reviewed.Errors);
    }

    [Theory]
    [InlineData("\"Enabled\": true, \"Policy\": \"Thresholds\", \"Interval\": \"00:00:05\", \"Timeout\": \"00:00:06\"", "ReverseProxy:Clusters:core:HealthCheck:Active:Timeout: 00:00:06 is longer than the Interval")]
    [InlineData("\"Enabled\": true, \"Policy\": \"Threshold\"", "ReverseProxy:Clusters:core: ")]
    public async Task Probes_that_cant_work_are_refused(string active, string mistake)
    {
        var reviewed = await ReviewAsync("\"Clusters\": { \"core\": {} }", core: $"\"HealthCheck\": {{ \"Active\": {{ {active} }} }},");

        Assert.Contains(reviewed.Errors, error => error.StartsWith(mistake, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("00:00:30", true)]
    [InlineData("often", false)]
    [InlineData("00:00:00", false)]
    public async Task How_often_a_name_is_looked_up_is_a_time(string period, bool isRight)
    {
        var reviewed = await ReviewAsync("\"Name\": \"edge\"", shield: $"\"one\": {{ \"Address\": \"http://localhost:1\", \"Metadata\": {{ \"{EveryAddress.MetadataKey}\": \"{period}\" }} }}");

        Assert.Equal(isRight, reviewed.Errors.Count == 0);
        Assert.All(reviewed.Errors, static error => Assert.StartsWith("ReverseProxy:Clusters:shields:Destinations:one:Metadata:CdnEdge.Dns: ", error, StringComparison.Ordinal));
    }

    private static Task<Configuration.ReviewedConfiguration> ReviewAsync(
        string edge, string metadata = "", string shield = "\"fra-1\": { \"Address\": \"http://10.0.0.2:8080\" }", string core = "") => Given.Review($$"""
        {
          "CdnEdge": { {{edge}} },
          "ReverseProxy": {
            "Routes": { "site": { "ClusterId": "regional", "Match": { "Path": "/{**path}" }, "Metadata": { {{metadata}} } } },
            "Clusters": {
              "regional": { "Destinations": { "one": { "Address": "http://127.0.0.1:9000" } } },
              "core": { {{core}} "Destinations": { "a": { "Address": "http://127.0.0.1:9001" } } },
              "shields": { "Destinations": { {{shield}} } }
            }
          }
        }
        """);
}
