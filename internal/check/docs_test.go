package check

import (
	"os"
	"regexp"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// The examples of the page for users are policies.
func TestPolicyPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/policy.md")
	require.NoError(t, err)
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/initsect.policy.v1.json")
	require.NoError(t, err)
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1)
	require.Len(t, examples, 3)
	for _, example := range examples {
		p, err := ParsePolicy(example[1])
		require.NoError(t, err)
		require.NotNil(t, p)
		require.NoError(t, schema.Validate(asJSON(t, string(example[1]))))
	}
	for key := range schema.Properties {
		require.Contains(t, "\n"+string(examples[0][1]), "\n"+key+":", "in the example of all keys")
	}
}
