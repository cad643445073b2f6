namespace CdnEdge.Tests;

public class PrecedenceTests
{
    [Fact]
    public async Task A_flag_goes_over_the_environment_over_the_file_over_the_default()
    {
        var file = "{ \"CdnEdge\": { \"Name\": \"file\", \"Origin\": \"http://file\", \"Listen\": [ \"http://127.0.0.1:1\", \"http://127.0.0.1:2\" ] } }";

        var bare = await Given.Review("{ \"CdnEdge\": { \"Origin\": \"http://file\" } }");
        var ofFile = await Given.Review(file);
        var ofEnvironment = await Given.Review(file, environment: [("CdnEdge__Origin", "http://environment"), ("CDNEDGE__LISTEN__0", "http://127.0.0.1:3"), ("CdnEdge__Name", "environment")]);
        var ofFlag = await Given.Review(file, "http://flag", ["http://127.0.0.1:4"], ("CdnEdge__Origin", "http://environment"), ("CdnEdge__Listen__0", "http://127.0.0.1:3"));

        Assert.Equal(["http://127.0.0.1:8080"], bare.Listen.Select(l => l.Url));
        Assert.Equal(("http://file", "file"), (ofFile.Origin, ofFile.Cache.Name));
        Assert.Equal(["http://127.0.0.1:1", "http://127.0.0.1:2"], ofFile.Listen.Select(l => l.Url));
        Assert.Equal(("http://environment", "environment"), (ofEnvironment.Origin, ofEnvironment.Cache.Name));
        Assert.Equal(["http://127.0.0.1:3"], ofEnvironment.Listen.Select(l => l.Url));
        Assert.Equal("http://flag", ofFlag.Origin);
        Assert.Equal(["http://127.0.0.1:4"], ofFlag.Listen.Select(l => l.Url));
        Assert.All([bare, ofFile, ofEnvironment, ofFlag], r => Assert.Empty(r.Errors));
    }

    [Fact]
    public async Task The_environment_reaches_every_key()
    {
        var reviewed = await Given.Review(
            Given.WithEdge(""),
            environment: [("CdnEdge__Policies__a__MaxTtl", "00:01:00"), ("ReverseProxy__Clusters__web__Destinations__one__Address", "http://elsewhere"), ("PATH", "x")]);

        Assert.Empty(reviewed.Errors);
        Assert.Equal(TimeSpan.FromMinutes(1), reviewed.Cache.Policies["a"].MaxTtl);
        Assert.Equal("http://elsewhere", reviewed.Values["ReverseProxy:Clusters:web:Destinations:one:Address"]);
    }

    [Fact]
    public async Task A_mistake_in_the_environment_is_one()
    {
        var reviewed = await Given.Review(Given.WithEdge(""), environment: [("CdnEdge__Memory__MaxByte", "1")]);

        Assert.Equal(["CdnEdge:Memory:MaxByte: unknown key; did you mean 'MaxBytes'?"], reviewed.Errors);
    }

    [Fact]
    public async Task An_origin_goes_with_a_file_that_has_no_routes()
    {
        var reviewed = await Given.Review("{ /* comments and trailing commas are fine */ \"CdnEdge\": { \"Policies\": { \"default\": {} }, } }", "http://127.0.0.1:9000/base");

        Assert.Empty(reviewed.Errors);
        Assert.Equal("1 route, 1 cluster, 1 policy", reviewed.Contents);
        Assert.Equal("http://127.0.0.1:9000/base", reviewed.Values["ReverseProxy:Clusters:origin:Destinations:origin:Address"]);
    }
}
