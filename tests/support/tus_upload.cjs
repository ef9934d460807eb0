// Sends a file with tus-js-client and prints what the client knows at its end, as JSON.
//
//     node tus_upload.cjs WEB_DIRECTORY ENDPOINT FILE CHUNK_BYTES     (with the token in TOKEN)

const { createReadStream, statSync } = require("node:fs");
const { createRequire } = require("node:module");

const [web, endpoint, path, chunkBytes] = process.argv.slice(2);
const { Upload } = createRequire(`${web}/package.json`)("tus-js-client");
let offsets = [];

const upload = new Upload(createReadStream(path), {
  endpoint,
  uploadSize: statSync(path).size,
  chunkSize: Number(chunkBytes) || Infinity,
  headers: { Authorization: `Bearer ${process.env.TOKEN}` },
  metadata: { filename: "scan.png", filetype: "image/png" },
  retryDelays: [0, ...Array(100).fill(20)],
  onAfterResponse(request, response) {
    if (request.getMethod() === "HEAD") offsets.push(Number(response.getHeader("Upload-Offset")));
  },
  onError(error) {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess({ lastResponse }) {
    console.log(JSON.stringify({ url: upload.url, upload: lastResponse.getHeader("Scanrill-Upload"), offsets }));
  },
});
upload.start();
