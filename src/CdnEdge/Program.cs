Console.WriteLine("cdnedge");
