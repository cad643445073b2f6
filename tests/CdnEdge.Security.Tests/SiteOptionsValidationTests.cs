namespace CdnEdge.Security.Tests;

/// <summary>What is said of a site's options that make no sense.</summary>
public sealed class SiteOptionsValidationTests
{
    [Theory]
    [InlineData("www.example.org")]
    [InlineData("*.example.org")]
    [InlineData("*")]
    [InlineData("localhost")]
    [InlineData("192.0.2.1")]
    [InlineData("[2001:db8::1]")]
    [InlineData("bücher.example")]
    public void A_host_is_a_host(string host) => Assert.Empty(Errors(host, new SiteOptions()));

    [Theory]
    [InlineData("https://www.example.org")]
    [InlineData("www.*.org")]
    [InlineData("**")]
    [InlineData("www example")]
    [InlineData("www.example.org.")]
    [InlineData("www.example.org/path")]
    public void Anything_else_is_none(string host) =>
        Assert.Contains("is not a host; such as www.example.org", Assert.Single(Errors(host, new SiteOptions())), StringComparison.Ordinal);

    [Fact]
    public void Each_mistake_is_told_with_its_path()
    {
        var site = new SiteOptions
        {
            HttpsPort = 0,
            Hsts = new HstsOptions { MaxAge = TimeSpan.FromSeconds(-1), Preload = true },
            ClientCertificate = new ClientCertificateOptions { Ca = "/no/such/file.pem" },
            Headers = { ["Bad Name"] = "x", ["Set-Cookie"] = "a=b", ["Alt-Svc"] = "clear", ["X-Line"] = "a\r\nb" },
        };

        var errors = Errors("*", site);

        Assert.Equal(
            [
                "CdnEdge:Sites:*:ClientCertificate:Ca", "CdnEdge:Sites:*:Headers:Alt-Svc", "CdnEdge:Sites:*:Headers:Bad Name", "CdnEdge:Sites:*:Headers:Set-Cookie",
                "CdnEdge:Sites:*:Headers:X-Line", "CdnEdge:Sites:*:Hsts:MaxAge", "CdnEdge:Sites:*:Hsts:Preload", "CdnEdge:Sites:*:HttpsPort",
            ],
            errors.Select(static error => error[..error.IndexOf(": ", StringComparison.Ordinal)]).Order(StringComparer.Ordinal));
        Assert.Contains("Could not find", Assert.Single(errors, static error => error.Contains("Ca:", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_has_one_entry() => Assert.Equal(
        ["CdnEdge:Sites:xn--bcher-kva.example: is the same host as 'bücher.example'; put both into one"],
        SiteOptionsValidation.Errors("CdnEdge:Sites", [KeyValuePair.Create("bücher.example", new SiteOptions()), KeyValuePair.Create("xn--bcher-kva.example", new SiteOptions())]));

    [Fact]
    public void Client_certificates_take_an_authority() =>
        Assert.Contains("Ca: missing", Assert.Single(Errors("*", new SiteOptions { ClientCertificate = new() })), StringComparison.Ordinal);

    [Fact]
    public void Acme_has_one_place()
    {
        Assert.Empty(new AcmeOptions().Errors("CdnEdge:Acme"));
        Assert.Contains("both Forward and Folder", Assert.Single(new AcmeOptions { Forward = new("http://127.0.0.1:1"), Folder = "/" }.Errors("CdnEdge:Acme")), StringComparison.Ordinal);
        Assert.Contains("Forward: 'https://127.0.0.1:1'", Assert.Single(new AcmeOptions { Forward = new("https://127.0.0.1:1") }.Errors("CdnEdge:Acme")), StringComparison.Ordinal);
        Assert.Contains("there is no folder", Assert.Single(new AcmeOptions { Folder = "/no/such" }.Errors("CdnEdge:Acme")), StringComparison.Ordinal);
    }

    private static string[] Errors(string host, SiteOptions site) => [.. SiteOptionsValidation.Errors("CdnEdge:Sites", [KeyValuePair.Create(host, site)])];
}
