namespace CdnEdge.Tests;

public class ConfigurationReviewTests
{
    [Theory]
    // Keys that nobody reads.
    [InlineData("\"Memroy\": {}", "CdnEdge:Memroy: unknown key; did you mean 'Memory'?")]
    [InlineData("\"Policies\": { \"a\": { \"MxaTtl\": \"00:01:00\" } }", "CdnEdge:Policies:a:MxaTtl: unknown key; did you mean 'MaxTtl'?")]
    [InlineData("\"Policies\": { \"a\": { \"Key\": { \"Qery\": \"All\" } } }", "CdnEdge:Policies:a:Key:Qery: unknown key; did you mean 'Query'?")]
    [InlineData("\"Memory\": { \"Zzzzz\": 1 }", "CdnEdge:Memory:Zzzzz: unknown key; there are: MaxBytes")]
    [InlineData("\"Config\": \"x\"", "CdnEdge:Config: unknown key; there are: ")]
    // Wrong types.
    [InlineData("\"Memory\": { \"MaxBytes\": \"12MB\" }", "CdnEdge:Memory:MaxBytes: '12MB' is not a whole number")]
    [InlineData("\"Memory\": 5", "CdnEdge:Memory: an object belongs here, not '5'; its keys are: MaxBytes")]
    [InlineData("\"Policies\": { \"a\": { \"MaxTtl\": \"abc\" } }", "CdnEdge:Policies:a:MaxTtl: 'abc' is not a duration; write [days.]hours:minutes:seconds, such as 00:10:00")]
    [InlineData("\"Policies\": { \"a\": { \"MaxTtl\": 90 } }", "CdnEdge:Policies:a:MaxTtl: '90' is not a duration; write 00:01:30 for 90 seconds, 90.00:00:00 for days")]
    [InlineData("\"Policies\": { \"a\": { \"Enabled\": \"ja\" } }", "CdnEdge:Policies:a:Enabled: 'ja' is not true or false")]
    [InlineData("\"Policies\": { \"a\": { \"HeuristicFraction\": \"x\" } }", "CdnEdge:Policies:a:HeuristicFraction: 'x' is not a number")]
    [InlineData("\"Policies\": { \"a\": { \"SetCookie\": \"Drop\" } }", "CdnEdge:Policies:a:SetCookie: 'Drop' is not one of Bypass, Strip, Store")]
    [InlineData("\"Policies\": { \"a\": { \"SetCookie\": \"1\" } }", "CdnEdge:Policies:a:SetCookie: '1' is not one of Bypass, Strip, Store")]
    [InlineData("\"Policies\": { \"a\": { \"Methods\": \"GET\" } }", "CdnEdge:Policies:a:Methods: a list belongs here: [\"GET\"] in JSON, CdnEdge__Policies__a__Methods__0 in the environment")]
    [InlineData("\"Policies\": { \"a\": { \"Methods\": { \"x\": \"GET\" } } }", "CdnEdge:Policies:a:Methods:x: a list belongs here, not an object")]
    [InlineData("\"Policies\": { \"a\": { \"MaxTtl\": [ \"00:01:00\" ] } }", "CdnEdge:Policies:a:MaxTtl: a single value belongs here, not a list or an object")]
    [InlineData("\"Policies\": { \"a\": { \"StatusTtl\": { \"404\": \"soon\" } } }", "CdnEdge:Policies:a:StatusTtl:404: 'soon' is not a duration; ")]
    [InlineData("\"Policies\": { \"a\": { \"StoreStatuses\": [ 400, \"x\" ] } }", "CdnEdge:Policies:a:StoreStatuses:1: 'x' is not a whole number")]
    [InlineData("\"Policies\": { \"a\": true }", "CdnEdge:Policies:a: an object belongs here, not 'True'")]
    // Values that make no sense.
    [InlineData("\"Name\": \"my edge\"", "CdnEdge:Name: 'my edge' is not a token")]
    [InlineData("\"Memory\": { \"MaxBytes\": -1 }", "CdnEdge:Memory:MaxBytes: -1 is not a size")]
    [InlineData("\"Memory\": { \"MaxBytes\": 9000000000000000 }", "CdnEdge:Memory:MaxBytes: 9000000000000000 bytes are more than this process may use")]
    [InlineData("\"Policies\": { \"a\": { \"MaxVariants\": 0 } }", "CdnEdge:Policies:a:MaxVariants: ")]
    [InlineData("\"Policies\": { \"a\": { \"Methods\": [ \"GET\", \"PUT\" ] } }", "CdnEdge:Policies:a:Methods:1: ")]
    [InlineData("\"Policies\": { \"a\": { \"Compression\": { \"Encodings\": [ \"br\", \"lz4\" ] } } }", "CdnEdge:Policies:a:Compression:Encodings:1: 'lz4' is a coding that nothing here can compress to; br, gzip, zstd")]
    [InlineData("\"Policies\": { \"a\": { \"Compression\": { \"Types\": [ \"text\" ] } } }", "CdnEdge:Policies:a:Compression:Types:0: 'text' is not valid; expected a media type")]
    [InlineData("\"Policies\": { \"a\": { \"Compression\": { \"MinBytes\": 0 } } }", "CdnEdge:Policies:a:Compression:MinBytes: '0' is not valid; expected at least 1")]
    [InlineData("\"Policies\": { \"a\": { \"Compression\": { \"Level\": 9 } } }", "CdnEdge:Policies:a:Compression:Level: unknown key; ")]
    [InlineData("\"Policies\": { \"a\": { \"Grace\": \"-00:00:01\" } }", "CdnEdge:Policies:a:Grace: ")]
    [InlineData("\"Policies\": { \"a\": { \"StatusTtl\": { \"40\": \"00:01:00\" } } }", "CdnEdge:Policies:a:StatusTtl:40: ")]
    [InlineData("\"Forwarding\": { \"TrustedProxies\": [ \"10.0.0.1\", \"10\" ] }", "CdnEdge:Forwarding:TrustedProxies:1: '10' is neither an address")]
    [InlineData("\"Forwarding\": { \"RemoveHeaders\": [ \"X-Host\", \"X Host\" ] }", "CdnEdge:Forwarding:RemoveHeaders:1: 'X Host' is not the name of a request header")]
    [InlineData("\"Forwarding\": { \"MaxFieldBytes\": 100 }", "CdnEdge:Forwarding:MaxFieldBytes: 100 is not a length; 256 to 32768 bytes")]
    [InlineData("\"Forwarding\": { \"MaxFieldBytes\": 65536 }", "CdnEdge:Forwarding:MaxFieldBytes: 65536 is not a length")]
    [InlineData("\"Forwarding\": { \"TrustedProxies\": [ \"10.0.0.0/33\" ] }", "CdnEdge:Forwarding:TrustedProxies:0: '10.0.0.0/33' is neither an address")]
    [InlineData("\"Forwarding\": { \"TrustedProxies\": [ \"10.1.2.3/8\" ] }", "CdnEdge:Forwarding:TrustedProxies:0: '10.1.2.3/8' is not the first address of its network; write 10.0.0.0/8")]
    [InlineData("\"Listen\": []", "CdnEdge:Listen: no address to listen on")]
    [InlineData("\"Tls\": { \"Folder\": \"/nowhere\" }", "CdnEdge:Tls:Folder: there is no folder '/nowhere'")]
    [InlineData("\"Tls\": { \"Certificates\": [ { \"Key\": \"/nowhere.key\" } ] }", "CdnEdge:Tls:Certificates:0:Certificate: missing")]
    [InlineData("\"Tls\": { \"Certificates\": [ { \"Certificate\": \"/nowhere.pem\" } ] }", "CdnEdge:Tls:Certificates:0: /nowhere.pem can't be used: ")]
    [InlineData("\"Tls\": { \"DefaultHost\": \"www.example.org\" }", "CdnEdge:Tls:DefaultHost: there is no certificate for 'www.example.org'; there is one for no host")]
    [InlineData("\"Tls\": { \"ExpiryWarning\": \"00:00:01\" }", "CdnEdge:Tls:ExpiryWarning: 00:00:01 is not between")]
    [InlineData("\"Listen\": [ \"http://*:80\", \"http://127.0.0.1:80\" ]", "CdnEdge:Listen:1: 'http://127.0.0.1:80' is taken by 'http://*:80' already")]
    [InlineData("\"Origin\": \"http://127.0.0.1:9000\"", "CdnEdge:Origin: an origin makes a configuration of one route, but this one has its own (ReverseProxy:Routes:site)")]
    public async Task A_mistake_under_CdnEdge_is_named_by_its_path(string edge, string expected)
    {
        var reviewed = await Given.Review(Given.WithEdge(edge));

        var mistake = Assert.Single(reviewed.Errors);
        Assert.StartsWith(expected, mistake, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"ClusterId\": \"wbe\", \"Match\": { \"Path\": \"/\" }", "ReverseProxy:Routes:r:ClusterId: no cluster is named 'wbe'; did you mean 'web'?")]
    [InlineData("\"Match\": { \"Path\": \"/\" }", "ReverseProxy:Routes:r:ClusterId: no cluster; there are: web")]
    [InlineData("\"ClusterId\": \"web\", \"Match\": { \"Path\": \"/{**x\" }", "ReverseProxy:Routes:r: Invalid path '/{**x' for route 'r'.")]
    [InlineData("\"ClusterId\": \"web\"", "ReverseProxy:Routes:r: Route 'r' requires Hosts or Path specified.")]
    [InlineData("\"ClusterId\": \"web\", \"Match\": { \"Path\": \"/\", \"Methods\": [ \"GTE\" ] }", "ReverseProxy:Routes:r: Unsupported HTTP method 'GTE'")]
    [InlineData("\"ClusterId\": \"web\", \"Match\": { \"Path\": \"/\" }, \"Order\": \"x\"", "ReverseProxy:Routes:r:Order: 'x' is not a whole number")]
    [InlineData("\"ClusterId\": \"web\", \"Match\": { \"Path\": \"/\" }, \"Transforms\": [ { \"Nope\": \"x\" } ]", "ReverseProxy:Routes:r: Unknown transform: Nope")]
    [InlineData("\"ClusterId\": \"web\", \"Match\": { \"Path\": \"/\" }, \"Metadata\": { \"CdnEdge.CachePolicy\": \"statc\" }", "ReverseProxy:Routes:r:Metadata:CdnEdge.CachePolicy: no policy is named 'statc'; did you mean 'static'?")]
    public async Task A_mistake_in_a_route_is_named_by_its_path(string route, string expected)
    {
        var reviewed = await Given.Review($$"""
            {
              "CdnEdge": { "Policies": { "static": {} } },
              "ReverseProxy": {
                "Routes": { "r": { {{route}} } },
                "Clusters": { "web": { "Destinations": { "one": { "Address": "http://127.0.0.1:9000" } } } }
              }
            }
            """);

        var mistake = Assert.Single(reviewed.Errors);
        Assert.StartsWith(expected, mistake, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "ReverseProxy:Clusters:c:Destinations: no destination")]
    [InlineData("\"Destinations\": { \"d\": {} }", "ReverseProxy:Clusters:c:Destinations:d:Address: no address")]
    [InlineData("\"Destinations\": { \"d\": { \"Address\": \"127.0.0.1:9000\" } }", "ReverseProxy:Clusters:c:Destinations:d:Address: '127.0.0.1:9000' is not an http:// or https:// URL")]
    [InlineData("\"Destinations\": { \"d\": { \"Address\": \"http://a\", \"Health\": \"/health\" } }", "ReverseProxy:Clusters:c:Destinations:d:Health: '/health' is not an http:// or https:// URL")]
    [InlineData("\"Destinations\": { \"d\": { \"Address\": \"http://u:p@a\" } }", "ReverseProxy:Clusters:c:Destinations:d:Address: credentials in a URL are not sent")]
    [InlineData("\"Destinations\": { \"d\": { \"Address\": \"http://a\" } }, \"LoadBalancingPolicy\": \"Best\"", "ReverseProxy:Clusters:c: No matching ILoadBalancingPolicy found")]
    [InlineData("\"Destinations\": { \"d\": { \"Address\": \"http://a\" } }, \"HttpRequest\": { \"Version\": \"two\" }", "ReverseProxy:Clusters:c:HttpRequest:Version: 'two' is not a version")]
    [InlineData("\"Destinations\": { \"d\": { \"Address\": \"http://a\" } }, \"HttpClient\": { \"SslProtocols\": [ \"Tls12\", \"Tls99\" ] }", "ReverseProxy:Clusters:c:HttpClient:SslProtocols:1: 'Tls99' is not one of")]
    public async Task A_mistake_in_a_cluster_is_named_by_its_path(string cluster, string expected)
    {
        var reviewed = await Given.Review($$"""
            {
              "ReverseProxy": {
                "Routes": { "r": { "ClusterId": "c", "Match": { "Path": "/" } } },
                "Clusters": { "c": { {{cluster}} } }
              }
            }
            """);

        var mistake = Assert.Single(reviewed.Errors);
        Assert.StartsWith(expected, mistake, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Thresholds", true)]
    [InlineData("ConsecutiveFailures", true)]
    [InlineData("Threshold", false)]
    public async Task Health_policies_are_YARPs_and_this_caches_own(string policy, bool isOne)
    {
        var reviewed = await Given.Review($$"""
            {
              "ReverseProxy": {
                "Routes": { "r": { "ClusterId": "web", "Match": { "Path": "/{**path}" } } },
                "Clusters": {
                  "web": {
                    "HealthCheck": { "Active": { "Enabled": true, "Interval": "00:00:05", "Policy": "{{policy}}" } },
                    "Destinations": { "one": { "Address": "http://127.0.0.1:9000" } }
                  }
                }
              }
            }
            """);

        Assert.Equal(isOne, reviewed.Errors.Count == 0);
    }

    [Fact]
    public async Task Every_mistake_is_listed_not_only_the_first()
    {
        var reviewed = await Given.Review("""
            {
              "CdnEdge": { "Nmae": "x", "Listen": [ "nowhere", "http://a/b" ], "Policies": { "p": { "MaxTtl": "x", "MinTtl": "y" } } },
              "ReverseProxy": {
                "Routes": { "r": { "ClusterId": "c", "Match": { "Path": "{" } }, "s": { "ClusterId": "d", "Match": { "Path": "/" } } },
                "Clusters": { "d": { "Destinations": { "x": { "Address": "y" } } } }
              }
            }
            """);

        Assert.Equal(
            [
                "CdnEdge:Nmae", "CdnEdge:Policies:p:MaxTtl", "CdnEdge:Policies:p:MinTtl", "CdnEdge:Listen:0", "CdnEdge:Listen:1",
                "ReverseProxy:Clusters:d:Destinations:x:Address", "ReverseProxy:Routes:r:ClusterId", "ReverseProxy:Routes:r",
            ],
            reviewed.Errors.Select(e => e[..e.IndexOf(": ", StringComparison.Ordinal)]));
    }

    [Theory]
    [InlineData("{ \"CdnEdge\": {\n \"x\": ,\n} }", "not valid JSON at line 2, byte 7: ")]
    [InlineData("", "not valid JSON at line 1, byte 1: ")]
    [InlineData("[]", "Top-level JSON element must be an object.")]
    [InlineData("{ \"CdnEdge\": { \"Name\": \"a\", \"name\": \"b\" } }", "A duplicate key 'CdnEdge:name' was found.")]
    public async Task A_file_that_is_no_configuration_says_where(string json, string expected)
    {
        var reviewed = await Given.Review(json);

        var mistake = Assert.Single(reviewed.Errors);
        Assert.StartsWith(expected, mistake, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CdnEdeg", "CdnEdeg: unknown section; did you mean 'CdnEdge'?")]
    [InlineData("ReverseProxi", "ReverseProxi: unknown section; did you mean 'ReverseProxy'?")]
    public async Task A_misspelt_section_is_a_mistake(string section, string expected)
    {
        var reviewed = await Given.Review($"{{ \"{section}\": {{ \"a\": 1 }}, {Given.Site} }}");

        Assert.Equal([expected], reviewed.Errors);
    }

    [Fact]
    public async Task A_YARP_users_file_is_taken_as_it_is()
    {
        var reviewed = await Given.Review("""
            {
              "Logging": { "LogLevel": { "Default": "Warning" } },
              "AllowedHosts": "*",
              "Kestrel": { "Endpoints": {} },
              "ReverseProxy": {
                "Routes": {
                  "r": {
                    "ClusterId": "c", "Order": 3, "MaxRequestBodySize": 1000000, "Timeout": "00:00:30",
                    "Match": {
                      "Path": "/a/{**rest}", "Hosts": [ "example.org" ], "Methods": [ "GET", "PUT" ],
                      "Headers": [ { "Name": "x", "Values": [ "1" ], "Mode": "HeaderPrefix", "IsCaseSensitive": true } ],
                      "QueryParameters": [ { "Name": "q", "Mode": "Exists" } ]
                    },
                    "Metadata": { "mine": "1" },
                    "Transforms": [ { "PathRemovePrefix": "/a" }, { "RequestHeader": "x", "Set": "y" } ],
                    "Commnet": "of the user"
                  }
                },
                "Clusters": {
                  "C": {
                    "LoadBalancingPolicy": "RoundRobin",
                    "SessionAffinity": { "Enabled": true, "Policy": "Cookie", "AffinityKeyName": "k", "Cookie": { "HttpOnly": true, "SameSite": "Lax" } },
                    "HealthCheck": { "Active": { "Enabled": true, "Interval": "00:00:10", "Timeout": "00:00:10", "Policy": "ConsecutiveFailures", "Path": "/health" } },
                    "HttpClient": { "SslProtocols": [ "Tls12", "Tls13" ], "MaxConnectionsPerServer": 1024, "WebProxy": { "Address": "http://127.0.0.1:3128" } },
                    "HttpRequest": { "ActivityTimeout": "00:02:00", "Version": "2", "VersionPolicy": "RequestVersionOrLower" },
                    "Destinations": { "d": { "Address": "https://127.0.0.1:9000/base", "Health": "http://127.0.0.1:9001", "Host": "example.org" } }
                  }
                }
              }
            }
            """);

        Assert.Empty(reviewed.Errors);
        Assert.Equal(
            ["Kestrel: not read; the addresses to listen on are CdnEdge:Listen", "ReverseProxy:Routes:r:Commnet: unknown key"],
            reviewed.Warnings.Select(w => w.Split("; there are")[0]));
    }

    [Fact]
    public async Task Nothing_to_serve_is_a_mistake()
    {
        var reviewed = await Given.Review("{}");

        Assert.StartsWith("ReverseProxy:Routes: no route", Assert.Single(reviewed.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1:9000")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("http://127.0.0.1:9000/?q")]
    public async Task An_origin_that_is_no_URL_is_a_mistake(string origin)
    {
        var reviewed = await Given.Review("{}", origin);

        Assert.StartsWith($"CdnEdge:Origin: '{origin}'", Assert.Single(reviewed.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configured_list_replaces_the_default_one()
    {
        var reviewed = await Given.Review(Given.WithEdge("\"Policies\": { \"a\": { \"Methods\": [ \"GET\" ], \"TargetedFields\": [] } }"));

        Assert.Equal(["GET"], reviewed.Cache.Policies["a"].Methods);
        Assert.Empty(reviewed.Cache.Policies["a"].TargetedFields);
        Assert.Equal(["CdnEdge-CDN-Cache-Control"], reviewed.Cache.Policies["a"].StripTargetedFields);
    }
}
