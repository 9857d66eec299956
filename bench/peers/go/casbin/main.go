// Casbin in a server of net/http, for want of one of its own that speaks HTTP.
//
// An enforcer holds the policies of one resource, and all of them share one role manager: Casbin
// for Go tries its policies one by one, so this is the path that does not grow with their number.
// With -cache, one CachedEnforcer holds all policies and remembers every answer.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"
	"github.com/casbin/casbin/v3/rbac"
	defaultrolemanager "github.com/casbin/casbin/v3/rbac/default-role-manager"
)

const definition = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && r.obj == p.obj && g(r.sub, p.sub)
`

const hierarchyLevels = 10

type tables struct {
	Roles      map[string][]string `json:"roles"`
	Principals map[string][]string `json:"principals"`
	Grants     [][]any             `json:"grants"`
}

type question struct {
	Principal string `json:"principal_id"`
	Action    string `json:"action"`
	Resource  string `json:"resource_id"`
}

type answer struct {
	Allowed bool `json:"allowed"`
}

type decide func(question) bool

func main() {
	address := flag.String("address", "127.0.0.1:8080", "where to listen")
	file := flag.String("file", "", "the workload")
	cached := flag.Bool("cache", false, "remember every answer")
	flag.Parse()
	told, err := read(*file)
	if err != nil {
		log.Fatal(err)
	}
	prepare := byResource
	if *cached {
		prepare = remembering
	}
	may, err := prepare(told)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(server(*address, may).ListenAndServe())
}

func read(file string) (tables, error) {
	var told tables
	content, err := os.ReadFile(file)
	if err != nil {
		return told, err
	}
	return told, json.Unmarshal(content, &told)
}

func links(told tables) (rbac.RoleManager, error) {
	manager := defaultrolemanager.NewRoleManager(hierarchyLevels)
	for _, held := range []map[string][]string{told.Roles, told.Principals} {
		for name, roles := range held {
			for _, role := range roles {
				if err := manager.AddLink(name, role); err != nil {
					return nil, err
				}
			}
		}
	}
	return manager, nil
}

func policies(told tables) map[string][][]string {
	found := map[string][][]string{}
	for _, grant := range told.Grants {
		role, action, resource := grant[0].(string), grant[1].(string), grant[2].(string)
		found[resource] = append(found[resource], []string{role, resource, action})
	}
	return found
}

func enforcer(manager rbac.RoleManager, rules [][]string) (*casbin.Enforcer, error) {
	rule, err := model.NewModelFromString(definition)
	if err != nil {
		return nil, err
	}
	made, err := casbin.NewEnforcer(rule)
	if err != nil {
		return nil, err
	}
	made.GetModel()["g"]["g"].RM = manager
	_, err = made.AddPolicies(rules)
	return made, err
}

func byResource(told tables) (decide, error) {
	manager, err := links(told)
	if err != nil {
		return nil, err
	}
	of := map[string]*casbin.Enforcer{}
	for resource, rules := range policies(told) {
		if of[resource], err = enforcer(manager, rules); err != nil {
			return nil, err
		}
	}
	return func(asked question) bool {
		found, ok := of[asked.Resource]
		if !ok {
			return false
		}
		allowed, err := found.Enforce(asked.Principal, asked.Resource, asked.Action)
		return err == nil && allowed
	}, nil
}

func remembering(told tables) (decide, error) {
	manager, err := links(told)
	if err != nil {
		return nil, err
	}
	rule, err := model.NewModelFromString(definition)
	if err != nil {
		return nil, err
	}
	all, err := casbin.NewCachedEnforcer(rule)
	if err != nil {
		return nil, err
	}
	all.GetModel()["g"]["g"].RM = manager
	for _, rules := range policies(told) {
		if _, err := all.AddPolicies(rules); err != nil {
			return nil, err
		}
	}
	return func(asked question) bool {
		allowed, err := all.Enforce(asked.Principal, asked.Resource, asked.Action)
		return err == nil && allowed
	}, nil
}

func server(address string, may decide) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /check", func(out http.ResponseWriter, in *http.Request) {
		var asked question
		if json.NewDecoder(in.Body).Decode(&asked) != nil {
			http.Error(out, "not a question", http.StatusBadRequest)
			return
		}
		reply(out, answer{may(asked)})
	})
	mux.HandleFunc("POST /batch", func(out http.ResponseWriter, in *http.Request) {
		var asked []question
		if json.NewDecoder(in.Body).Decode(&asked) != nil {
			http.Error(out, "no questions", http.StatusBadRequest)
			return
		}
		answers := make([]answer, len(asked))
		for at, one := range asked {
			answers[at] = answer{may(one)}
		}
		reply(out, answers)
	})
	return &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: time.Minute}
}

func reply(out http.ResponseWriter, content any) {
	out.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(out).Encode(content); err != nil {
		log.Print(err)
	}
}
