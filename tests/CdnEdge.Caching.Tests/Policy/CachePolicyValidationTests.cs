namespace CdnEdge.Caching.Tests.Policy;

public class CachePolicyValidationTests
{
    private const string Path = "CdnEdge:Policies:static";

    [Fact]
    public void Default_policy_is_valid() => Assert.Empty(CachePolicyValidation.Errors(Path, new CachePolicy()));

    [Fact]
    public void Policy_that_uses_everything_is_valid()
    {
        var policy = new CachePolicy
        {
            Methods = ["GET"],
            DefaultTtl = TimeSpan.FromMinutes(1),
            MinTtl = TimeSpan.FromSeconds(1),
            MaxTtl = TimeSpan.FromSeconds(1),
            StatusTtl = new Dictionary<string, TimeSpan> { ["404"] = TimeSpan.Zero, ["5xx"] = TimeSpan.FromSeconds(5) },
            StoreStatuses = [400, 200, 599],
            HeuristicFraction = 1,
            OverrideCacheControl = "max-age=60, stale-if-error=600, no-cache=\"a, b\", x=y",
            TargetedFields = ["My-Cache-Control"],
            StripTargetedFields = [],
            MaxObjectBytes = 1,
            MaxVariants = 10_000,
            Key =
            {
                Query = QueryKeyMode.Deny,
                QueryParameters = ["utm_*", "a b"],
                Headers = ["X-Device"],
                Cookies = ["theme"],
                HostAliases = new Dictionary<string, string> { ["www.example.org"] = "example.org", ["[::1]:8080"] = "example.org:8080", ["127.0.0.1"] = "example.org" },
            },
            Bypass = { Cookies = ["wordpress_logged_in*", "*"], Headers = ["X-Preview"], QueryParameters = ["preview"], Paths = ["/", "/admin"] },
        };

        Assert.Empty(CachePolicyValidation.Errors(Path, policy));
    }

    public static TheoryData<string, string, Action<CachePolicy>> Mistakes => new()
    {
        { "Methods:1", "PUT", static p => p.Methods = ["GET", "PUT"] },
        { "PassHeaders:0", "X Y", static p => p.PassHeaders = ["X Y"] },
        { "PassHeaders:1", "X-*", static p => p.PassHeaders = ["X-Real-IP", "X-*"] },
        { "Methods:0", "get", static p => p.Methods = ["get"] },
        { "Methods", "", static p => p.Methods = [] },
        { "DefaultTtl", "-00:00:01", static p => p.DefaultTtl = TimeSpan.FromSeconds(-1) },
        { "MinTtl", "-00:00:01", static p => p.MinTtl = TimeSpan.FromSeconds(-1) },
        { "MaxTtl", "-00:00:01", static p => p.MaxTtl = TimeSpan.FromSeconds(-1) },
        { "MinTtl", "00:02:00", static p => (p.MinTtl, p.MaxTtl) = (TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(1)) },
        { "HeuristicCeiling", "-00:00:01", static p => p.HeuristicCeiling = TimeSpan.FromSeconds(-1) },
        { "Grace", "-00:00:01", static p => p.Grace = TimeSpan.FromSeconds(-1) },
        { "StaleWhileRevalidate", "-00:00:01", static p => p.StaleWhileRevalidate = TimeSpan.FromSeconds(-1) },
        { "StaleIfError", "-00:00:01", static p => p.StaleIfError = TimeSpan.FromSeconds(-1) },
        { "UncacheableMarkerTtl", "-00:00:01", static p => p.UncacheableMarkerTtl = TimeSpan.FromSeconds(-1) },
        { "HeuristicFraction", "1.1", static p => p.HeuristicFraction = 1.1 },
        { "HeuristicFraction", "-0.1", static p => p.HeuristicFraction = -0.1 },
        { "HeuristicFraction", "NaN", static p => p.HeuristicFraction = double.NaN },
        { "StatusTtl:600", "600", static p => p.StatusTtl["600"] = TimeSpan.Zero },
        { "StatusTtl:6xx", "6xx", static p => p.StatusTtl["6xx"] = TimeSpan.Zero },
        { "StatusTtl:4x4", "4x4", static p => p.StatusTtl["4x4"] = TimeSpan.Zero },
        { "StatusTtl:404", "-00:00:01", static p => p.StatusTtl["404"] = TimeSpan.FromSeconds(-1) },
        { "StoreStatuses:0", "103", static p => p.StoreStatuses = [103] },
        { "StoreStatuses:0", "206", static p => p.StoreStatuses = [206] },
        { "StoreStatuses:1", "304", static p => p.StoreStatuses = [400, 304] },
        { "StoreStatuses:0", "600", static p => p.StoreStatuses = [600] },
        { "OverrideCacheControl", "", static p => p.OverrideCacheControl = "" },
        { "OverrideCacheControl", "max-age", static p => p.OverrideCacheControl = "max-age" },
        { "OverrideCacheControl", "max-age=1h", static p => p.OverrideCacheControl = "max-age=1h" },
        { "OverrideCacheControl", "max-age=60;public", static p => p.OverrideCacheControl = "max-age=60;public" },
        { "OverrideCacheControl", "public max-age=60", static p => p.OverrideCacheControl = "public max-age=60" },
        { "OverrideCacheControl", "no-cache=\"a", static p => p.OverrideCacheControl = "no-cache=\"a" },
        { "OverrideCacheControl", "public,", static p => p.OverrideCacheControl = "public," },
        { "TargetedFields:0", "Cache-control", static p => p.TargetedFields = ["Cache-control"] },
        { "TargetedFields:1", "CDN Cache", static p => p.TargetedFields = ["CDN-Cache-Control", "CDN Cache"] },
        { "StripTargetedFields:0", "", static p => p.StripTargetedFields = [""] },
        { "MaxVariants", "0", static p => p.MaxVariants = 0 },
        { "MaxVariants", "10001", static p => p.MaxVariants = 10_001 },
        { "MaxObjectBytes", "0", static p => p.MaxObjectBytes = 0 },
        { "SetCookie", "7", static p => p.SetCookie = (SetCookiePolicy)7 },
        { "HeuristicWithCookies", "7", static p => p.HeuristicWithCookies = (HeuristicWithCookies)7 },
        { "Key:Query", "7", static p => p.Key.Query = (QueryKeyMode)7 },
        { "Key:QueryParameters", "a, b", static p => p.Key.QueryParameters = ["a", "b"] },
        { "Key:QueryParameters", "a", static p => (p.Key.Query, p.Key.QueryParameters) = (QueryKeyMode.None, ["a"]) },
        { "Key:QueryParameters", "", static p => p.Key.Query = QueryKeyMode.Allow },
        { "Key:QueryParameters:0", "*", static p => (p.Key.Query, p.Key.QueryParameters) = (QueryKeyMode.Allow, ["*"]) },
        { "Key:QueryParameters:0", "a=b", static p => (p.Key.Query, p.Key.QueryParameters) = (QueryKeyMode.Deny, ["a=b"]) },
        { "Key:QueryParameters:0", "a*b", static p => (p.Key.Query, p.Key.QueryParameters) = (QueryKeyMode.Deny, ["a*b"]) },
        { "Key:Headers:0", "*", static p => p.Key.Headers = ["*"] },
        { "Key:Headers:0", "X Y", static p => p.Key.Headers = ["X Y"] },
        { "Key:Cookies:0", "a;b", static p => p.Key.Cookies = ["a;b"] },
        { "Key:HostAliases:http://a", "http://a", static p => p.Key.HostAliases["http://a"] = "b" },
        { "Key:HostAliases:a", "b/c", static p => p.Key.HostAliases["a"] = "b/c" },
        { "Key:HostAliases:a:99999", "a:99999", static p => p.Key.HostAliases["a:99999"] = "b" },
        { "Key:HostAliases:a", "", static p => p.Key.HostAliases["a"] = "" },
        { "Key:HostAliases:a", "A.", static p => p.Key.HostAliases["a"] = "A." },
        { "Key:HostAliases:a", "b", static p => p.Key.HostAliases = new Dictionary<string, string> { ["a"] = "b", ["B:443"] = "c" } },
        { "Key:HostAliases:a:80", "a:80", static p => p.Key.HostAliases = new Dictionary<string, string> { ["A"] = "c", ["a:80"] = "c" } },
        { "Bypass:Cookies:0", "a*b", static p => p.Bypass.Cookies = ["a*b"] },
        { "Bypass:Cookies:0", "a b", static p => p.Bypass.Cookies = ["a b"] },
        { "Bypass:Headers:0", "X:Y", static p => p.Bypass.Headers = ["X:Y"] },
        { "Bypass:QueryParameters:0", "", static p => p.Bypass.QueryParameters = [""] },
        { "Bypass:Paths:1", "admin", static p => p.Bypass.Paths = ["/a", "admin"] },
        { "Bypass:Paths:0", "/a?b", static p => p.Bypass.Paths = ["/a?b"] },
    };

    [Theory]
    [MemberData(nameof(Mistakes), DisableDiscoveryEnumeration = true)]
    public void Mistake_is_named_by_its_path_and_value(string where, string value, Action<CachePolicy> mistake)
    {
        var policy = new CachePolicy();
        mistake(policy);

        var error = Assert.Single(CachePolicyValidation.Errors(Path, policy));

        Assert.StartsWith($"{Path}:{where}: '{value}' is not valid; expected ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_mistake_is_found_at_once()
    {
        var policy = new CachePolicy { MaxVariants = 0, Grace = TimeSpan.FromSeconds(-1), Key = { Headers = ["*"] }, Bypass = { Paths = ["x", "y"] } };

        Assert.Equal(5, CachePolicyValidation.Errors(Path, policy).Count());
    }

    [Fact]
    public void Cycle_of_aliases_is_found_at_both_ends()
    {
        var policy = new CachePolicy { Key = { HostAliases = new Dictionary<string, string> { ["a"] = "b", ["b"] = "a" } } };

        Assert.Equal(2, CachePolicyValidation.Errors(Path, policy).Count());
    }

    [Fact]
    public void Nulls_are_mistakes_not_exceptions()
    {
        var policy = new CachePolicy { Methods = null!, StatusTtl = null!, StoreStatuses = null!, TargetedFields = null!, StripTargetedFields = null!, Bypass = null! };
        policy.Key.QueryParameters = null!;
        policy.Key.Headers = null!;
        policy.Key.Cookies = [null!];
        policy.Key.HostAliases = null!;

        Assert.Equal(10, CachePolicyValidation.Errors(Path, policy).Count());
        Assert.Single(CachePolicyValidation.Errors(Path, new CachePolicy { Key = null! }));
    }
}
