using System.Reflection;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching.Tests;

/// <summary>Alone in the process: it weighs the heap.</summary>
[CollectionDefinition(nameof(HeadSizeTests), DisableParallelization = true)]
[Collection(nameof(HeadSizeTests))]
public class HeadSizeTests
{
    [Fact]
    public void The_objects_are_as_large_as_is_said()
    {
        Assert.Equal(ManagedSize.Head, SizeOf(Given.Stored("Cache-Control: max-age=60")));
        Assert.Equal(ManagedSize.Directives, SizeOf(new ResponseDirectives()));
    }

    private static long SizeOf(object instance)
    {
        var clone = typeof(object).GetMethod("MemberwiseClone", BindingFlags.Instance | BindingFlags.NonPublic)!.CreateDelegate<Func<object>>(instance);
        clone();
        var before = GC.GetAllocatedBytesForCurrentThread();
        clone();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    [Fact]
    public void Its_size_is_about_what_the_runtime_takes()
    {
        const int Count = 2000;
        var heads = new StoredHead[Count];
        var inputs = Enumerable.Range(0, Count).Select(i => Given.Headers(
            "Content-Type: text/html; charset=utf-8", "Cache-Control: max-age=60", $"ETag: \"{Guid.NewGuid()}\"",
            $"X-Own: {Guid.NewGuid()}", "Date: " + Given.Date(-i), "Vary: Accept-Encoding")).ToArray();
        heads[0] = Head(inputs[0]);

        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 1; i < Count; i++)
            heads[i] = Head(inputs[i]);
        var after = GC.GetTotalMemory(forceFullCollection: true);

        // The strings of the values came with the inputs: they are the heads' to keep all the same.
        var strings = inputs.Skip(1).Sum(input => ManagedSize.OfString(input["X-Own"]) + ManagedSize.OfString(input["ETag"]) + ManagedSize.OfString(input["Date"]));
        var real = after - before + strings;
        var said = heads.Skip(1).Sum(head => (long)head.ManagedBytes);
        GC.KeepAlive(inputs);
        Assert.InRange(said, real * 0.8, real * 1.5);

        static StoredHead Head(HeaderDictionary headers)
        {
            var policy = new CachePolicy();
            var directives = ResponseDirectives.Parse(headers, policy);
            return StoredHead.Create(200, headers, Given.Headers("Accept-Encoding: gzip"), directives,
                Freshness.Of(200, headers, directives, policy, Given.Now, Given.Now), policy);
        }
    }
}
